//! Tests requests that two programs may read differently: each is one webhook or none, and
//! nothing after an ambiguous one is a request.

use crate::support::TestRelay;
use crate::support::http::Connection;

/// Outcome of a request that another request follows on the same connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is a webhook with the body `hi`, and the next request is separate.
    Taken,
    /// It is a webhook with the body `hi`, and the connection ends.
    LastOne,
    /// It is refused with this status, and the connection ends.
    Refused(u16),
}

use Outcome::{LastOne, Refused, Taken};

/// Sends the request and another one after it.
async fn sends(relay: &TestRelay, request: &[u8], outcome: Outcome) {
    let shown = String::from_utf8_lossy(request);
    let behind = b"GET /-/healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut connection = Connection::open(relay.address).await;
    connection.try_send([request, behind].concat()).await;
    let reply = connection.reply("POST").await;
    let status = match outcome {
        Taken | LastOne => 200,
        Refused(status) => status,
    };
    assert_eq!(reply.status, status, "{shown:?}: {}", reply.text());
    if outcome == Taken {
        assert_eq!(connection.reply("GET").await.status, 200, "{shown:?}");
    } else {
        let rest = connection.read_until_closed().await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(!rest.contains("HTTP/1.1"), "smuggled: {shown:?}: {rest}");
    }
}

const CHUNKS: &str = "2\r\nhi\r\n0\r\n\r\n";

#[tokio::test]
async fn a_body_has_one_length_or_the_request_is_refused() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    let mut taken = 0;
    let lengths = [
        ("Content-Length: 2", Taken),
        ("Content-Length: 2\r\nContent-Length: 2", Taken),
        ("Content-Length: 02", Taken),
        ("Content-Length: 2\r\nContent-Length: 3", Refused(400)),
        ("Content-Length: 2, 2", Refused(400)),
        ("Content-Length: +2", Refused(400)),
        ("Content-Length: -2", Refused(400)),
        ("Content-Length: 0x2", Refused(400)),
        ("Content-Length: 2a", Refused(400)),
        ("Content-Length: 2 2", Refused(400)),
        ("Content-Length: \u{b}2", Refused(400)),
        ("Content-Length:", Refused(400)),
        ("Content-Length: 18446744073709551616", Refused(400)),
        ("Content-Length : 2", Refused(400)),
        ("X: a\r\n b\r\nContent-Length: 2", Refused(400)),
        (" X: a\r\nContent-Length: 2", Refused(400)),
        ("X: a\rContent-Length: 9\r\nContent-Length: 2", Refused(400)),
        ("X: a\0b\r\nContent-Length: 2", Refused(400)),
    ];
    let codings = [
        ("Transfer-Encoding: chunked", Taken),
        ("Transfer-Encoding: CHUNKED", Taken),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3", LastOne),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", LastOne),
        ("Transfer-Encoding: chunked, chunked", Refused(501)),
        ("Transfer-Encoding: gzip, chunked", Refused(501)),
        ("Transfer-Encoding: ,chunked", Refused(501)),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            Refused(501),
        ),
        ("Transfer-Encoding: chunked, gzip", Refused(400)),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            Refused(400),
        ),
        ("Transfer-Encoding: identity", Refused(400)),
        ("Transfer-Encoding: xchunked", Refused(400)),
        ("Transfer-Encoding: \u{b}chunked", Refused(400)),
        ("Transfer-Encoding: \"chunked\"", Refused(400)),
        ("Transfer-Encoding: chunked;q=1", Refused(400)),
        ("Transfer-Encoding:", Refused(400)),
        ("Transfer-Encoding : chunked", Refused(400)),
        ("Transfer-Encoding:\r\n chunked", Refused(400)),
    ];
    let lengths = lengths.map(|(headers, outcome)| (headers, "hi", outcome));
    let codings = codings.map(|(headers, outcome)| (headers, CHUNKS, outcome));
    for (headers, body, outcome) in lengths.into_iter().chain(codings) {
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n");
        sends(&relay, format!("{head}{body}").as_bytes(), outcome).await;
        taken += usize::from(matches!(outcome, Taken | LastOne));
    }
    let old = format!("POST {path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}");
    sends(&relay, old.as_bytes(), Refused(400)).await;

    for _ in 0..taken {
        assert_eq!(agent.event().await.request.body, "hi");
    }
    assert_eq!(relay.refusal_count("transfer-coding").await, 4);
    relay.stop().await;
}

#[tokio::test]
async fn chunks_have_one_meaning_or_the_request_is_refused() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    let mut taken = 0;
    let many = format!("2\r\nhi\r\n0\r\n{}\r\n", "X: y\r\n".repeat(4000));
    let long = format!("2\r\nhi\r\n0\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    let extended = format!("2;{}\r\nhi\r\n0\r\n\r\n", "a".repeat(100_000));
    for (chunks, outcome) in [
        ("2;a=b\r\nhi\r\n0\r\n\r\n", Taken),
        ("1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", Taken),
        ("002\r\nhi\r\n0\r\n\r\n", Taken),
        // A length in a trailer is ignored.
        ("2\r\nhi\r\n0\r\nContent-Length: 99\r\n\r\n", Taken),
        ("0x2\r\nhi\r\n0\r\n\r\n", Refused(400)),
        ("+2\r\nhi\r\n0\r\n\r\n", Refused(400)),
        ("-2\r\nhi\r\n0\r\n\r\n", Refused(400)),
        ("FFFFFFFFFFFFFFFFF\r\nhi\r\n0\r\n\r\n", Refused(400)),
        ("\r\nhi\r\n0\r\n\r\n", Refused(400)),
        ("2\nhi\n0\n\n", Refused(400)),
        ("2;a\nb\r\nhi\r\n0\r\n\r\n", Refused(400)),
        ("2\r\nhix\r\n0\r\n\r\n", Refused(400)),
        ("2\r\nhi0\r\n\r\n", Refused(400)),
        (&many, Refused(400)),
        (&long, Refused(400)),
        (&extended, Refused(400)),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        sends(&relay, format!("{head}{chunks}").as_bytes(), outcome).await;
        taken += usize::from(outcome == Taken);
    }
    for _ in 0..taken {
        assert_eq!(agent.event().await.request.body, "hi");
    }
    relay.stop().await;
}
