//! Invariant 3: the local service receives, byte for byte, what was sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use podtap_podio::{EventType, sample};

use crate::support::{Answer, Received, Service, Stage, form_post, send};

/// `type=item.update&item_id=4`, compressed with `gzip -n`.
const PACKED: &str = "H4sIAAAAAAAAAyupLEi1zSxJzdUrLUhJLElVA7HjM1NsTQBBXZfMGgAAAA==";

/// A tunnel with its own relay and a local service.
struct Way {
    stage: Stage,
    service: Service,
    url: String,
    _relay: crate::support::Relay,
    _agent: crate::support::Process,
}

impl Way {
    async fn open() -> Self {
        let (stage, service) = (Stage::new(), Service::start().await);
        let (relay, _, agent, url) = stage.way_to(&service, &[]).await;
        Self {
            stage,
            service,
            url,
            _relay: relay,
            _agent: agent,
        }
    }

    /// Sends a request with a hand-written head, in which `PREFIX` is replaced by the
    /// tunnel's path. Returns the relay's response and what the service received.
    async fn carry(&self, head: &str, body: &[u8]) -> (Answer, Received) {
        let (authority, path) = crate::support::split_url(&self.url);
        let head = head
            .replace("PREFIX", path.trim_end_matches('/'))
            .replace('\n', "\r\n");
        let head = head.replacen("\r\n", &format!("\r\nhost: {authority}\r\n"), 1);
        let request = [head.as_bytes(), b"connection: close\r\n\r\n", body].concat();
        let before = self.service.count();
        let answer = send(authority, &request).await;
        assert_eq!(answer.status, 200, "{head}\n{answer:?}");
        let received = self.service.wait_for(before + 1).await.pop().unwrap();
        (answer, received)
    }
}

fn form(params: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_type_arrives_as_it_was_sent_and_is_decoded_in_the_history() {
    let way = Way::open().await;

    for event in EventType::ALL {
        let body = form(&sample(*event));
        let answer = form_post(&format!("{}podio/hook?env=dev", way.url), body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{event:?}: {answer:?}");
    }

    let received = way.service.wait_for(EventType::ALL.len()).await;
    for event in EventType::ALL {
        let body = form(&sample(*event));
        let same = |r: &&Received| r.body == body.as_bytes();
        let request = received
            .iter()
            .find(same)
            .unwrap_or_else(|| panic!("no {event:?}"));
        assert_eq!(
            (&*request.method, &*request.path),
            ("POST", "/podio/hook?env=dev")
        );
        let content_type = request.header("content-type");
        assert_eq!(content_type, [&b"application/x-www-form-urlencoded"[..]]);
        assert_eq!(request.header("podtap-attempt"), [&b"1"[..]]);
        assert_eq!(request.header("podtap-event-id").len(), 1);
        assert_eq!(request.header("podtap-replay"), [&b"false"[..]]);
        assert_eq!(
            request.header("host"),
            [way.service.address().to_string().as_bytes()]
        );
    }
    let history = way.stage.wait_until_settled(&[], EventType::ALL.len());
    for event in EventType::ALL {
        let stored = history
            .iter()
            .find(|stored| stored["event"] == event.as_str())
            .unwrap();
        for (name, value) in sample(*event) {
            assert_eq!(stored["params"][&name], value.as_str(), "{event:?} {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_body_arrives_whole() {
    let way = Way::open().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let mebibyte: Vec<u8> = every_byte
        .iter()
        .copied()
        .cycle()
        .take(1024 * 1024)
        .collect();

    for body in [
        &b""[..],
        &every_byte,
        b"\xff\xfe\x00 not utf-8 \xc3",
        &mebibyte,
    ] {
        let head = format!("POST PREFIX/raw HTTP/1.1\ncontent-length: {}\n", body.len());
        let (_, received) = way.carry(&head, body).await;
        assert!(
            received.body == body,
            "a body of {} bytes was changed",
            body.len()
        );
    }

    let head = "POST PREFIX/chunks HTTP/1.1\ntransfer-encoding: chunked\n";
    let (_, received) = way
        .carry(
            head,
            b"5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
        )
        .await;
    assert_eq!(received.body, Bytes::from_static(b"hello world"));
    assert!(
        received.header("transfer-encoding").is_empty(),
        "hop-by-hop, must not pass"
    );
    assert_eq!(received.header("content-length"), [&b"11"[..]]);

    let head = "POST PREFIX/expect HTTP/1.1\nexpect: 100-continue\ncontent-length: 4\n";
    let (_, received) = way.carry(head, b"body").await;
    assert_eq!(received.body, Bytes::from_static(b"body"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_arrives_as_it_was_sent_and_is_read_unpacked() {
    let way = Way::open().await;
    let packed = STANDARD.decode(PACKED).unwrap();
    let head = format!(
        "POST PREFIX/packed HTTP/1.1\ncontent-type: application/x-www-form-urlencoded\n\
         content-encoding: gzip\naccept-encoding: gzip, br\ncontent-length: {}\n",
        packed.len()
    );
    let (_, received) = way.carry(&head, &packed).await;
    assert_eq!(&received.body[..], &packed[..]);
    assert_eq!(received.header("content-encoding"), [&b"gzip"[..]]);
    assert_eq!(received.header("accept-encoding"), [&b"gzip, br"[..]]);

    let events = way.stage.wait_until_settled(&["item_id:4"], 1);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["event"], "item.update");
    assert_eq!(events[0]["body_base64"], PACKED, "{events:?}");
    let shown = way
        .stage
        .succeed(&["show", "--name", "crm", events[0]["id"].as_str().unwrap()]);
    assert!(shown.contains("  type=item.update&item_id=4"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_queries_are_not_tidied_up() {
    let way = Way::open().await;
    let paths = [
        "/",
        "/a%2Fb/%C3%A4/%zz/",
        "/empty//segment/../kept/./too",
        "/q?x=1&x=2&y=a+b%20c&=&z",
        "/?only=query",
        "//two?a=//b",
    ];

    for path in paths {
        let (_, received) = way
            .carry(
                &format!("POST PREFIX{path} HTTP/1.1\ncontent-length: 0\n"),
                b"",
            )
            .await;
        assert_eq!(received.path, path);
    }

    let (_, received) = way
        .carry("POST PREFIX HTTP/1.1\ncontent-length: 0\n", b"")
        .await;
    assert_eq!(received.path, "/", "the bare tunnel is its root");
    let (_, received) = way
        .carry("POST PREFIX?a=b HTTP/1.1\ncontent-length: 0\n", b"")
        .await;
    assert_eq!(received.path, "/?a=b");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_arrive_all_of_them_but_the_hop_by_hop_ones() {
    let way = Way::open().await;
    let mut head = "POST PREFIX/h HTTP/1.1\ncontent-length: 0\n".to_owned();
    for n in 0..100 {
        head.push_str(&format!("x-many-{n}: value {n}\n"));
    }
    head.push_str("x-twice: one\nx-twice: two\nx-twice: \n");
    head.push_str("keep-alive: timeout=5\nproxy-connection: x\nte: trailers\nupgrade: h2c\n");
    head.push_str("x-forwarded-for: 203.0.113.9\nuser-agent: Podio\naccept: */*\n");

    let (_, received) = way.carry(&head, b"").await;

    for n in 0..100 {
        assert_eq!(
            received.header(&format!("x-many-{n}")),
            [format!("value {n}").as_bytes()]
        );
    }
    assert_eq!(received.header("x-twice"), [&b"one"[..], b"two", b""]);
    for gone in ["keep-alive", "proxy-connection", "te", "upgrade"] {
        assert!(received.header(gone).is_empty(), "{gone} passed");
    }
    assert_eq!(
        received.header("x-forwarded-for"),
        [&b"127.0.0.1"[..]],
        "what the sender says of itself is not believed"
    );
    assert_eq!(received.header("x-forwarded-proto"), [&b"http"[..]]);
    let (authority, _) = crate::support::split_url(&way.url);
    assert_eq!(received.header("x-forwarded-host"), [authority.as_bytes()]);
    assert_eq!(received.header("user-agent"), [&b"Podio"[..]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn header_values_that_are_not_utf_8_survive() {
    let way = Way::open().await;
    let (authority, path) = crate::support::split_url(&way.url);
    let head = format!("POST {path}x HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    let request = [
        head.as_bytes(),
        b"x-raw: caf\xe9\r\ncontent-length: 0\r\n\r\n",
    ]
    .concat();

    assert_eq!(send(authority, &request).await.status, 200);

    let received = way.service.wait_for(1).await;
    assert_eq!(received[0].header("x-raw"), [&b"caf\xe9"[..]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_method_is_forwarded() {
    let way = Way::open().await;

    for method in ["HEAD", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let body: &[u8] = if matches!(method, "PUT" | "PATCH") {
            b"content"
        } else {
            b""
        };
        let length = if body.is_empty() {
            String::new()
        } else {
            "content-length: 7\n".to_owned()
        };
        let (answer, received) = way
            .carry(&format!("{method} PREFIX/m HTTP/1.1\n{length}"), body)
            .await;
        assert_eq!((&*received.method, &received.body[..]), (method, body));
        if method == "HEAD" {
            assert_eq!(answer.body, "", "an answer to HEAD has no body");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn header_names_keep_their_letters_on_the_way_and_in_the_history() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let service = listener.local_addr().unwrap();
    let (_agent, url) = stage.agent(&relay.url(), &token, service, &[]).await;
    let (authority, path) = crate::support::split_url(&url);
    let names = [
        "X-CRM-Id: 1",
        "x-lower: 2",
        "X-crm-ID: 3",
        "USER-Agent: Podio",
    ]
    .join("\r\n");
    let head = format!("POST {path} HTTP/1.1\r\nHOST: {authority}\r\nconnection: close\r\n");
    let request = format!("{head}Content-LENGTH: 0\r\n{names}\r\n\r\n");

    assert_eq!(send(authority, request.as_bytes()).await.status, 200);

    let (mut stream, _) = listener.accept().await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut received).await.unwrap() > 0);
    }
    stream
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    let received = String::from_utf8(received).unwrap();
    for line in names.split("\r\n").chain([&*format!("HOST: {service}")]) {
        let whole = format!("\r\n{line}\r\n");
        assert!(received.contains(&whole), "{line} not in {received}");
    }
    let event = &stage.wait_until_settled(&[], 1)[0];
    let kept: Vec<&str> = event["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair[0].as_str().unwrap())
        .collect();
    let expected = [
        "HOST",
        "connection",
        "Content-LENGTH",
        "X-CRM-Id",
        "x-lower",
        "X-crm-ID",
        "USER-Agent",
    ];
    assert_eq!(kept, expected);
    let id = event["id"].as_str().unwrap();
    let curl = stage.succeed(&["show", id, "--curl", "--name", "crm"]);
    assert!(curl.contains("X-crm-ID: 3"), "{curl}");
}
