//! Tests webhooks: accepted ones arrive byte for byte, others are refused with a reason.

use crate::support::http::{Connection, get, post, request};
use crate::support::{Agent, TestRelay, eventually};
use podtap_wire::{EventFrame, Seq};

async fn receive_event(agent: &mut Agent) -> EventFrame {
    let event = agent.event().await;
    agent.ack(event.seq).await;
    event
}

#[tokio::test]
async fn any_method_path_query_and_header_arrives_as_sent() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let key = agent.path();

    for (number, (method, rest, path)) in [
        ("POST", "/a%2Fb//c?q=%20&q=2", "/a%2Fb//c?q=%20&q=2"),
        ("GET", "", "/"),
        ("PUT", "?x", "/?x"),
        ("DELETE", "/", "/"),
        ("HEAD", "/head", "/head"),
        ("PROPFIND", "/../up", "/../up"),
    ]
    .into_iter()
    .enumerate()
    {
        let headers = "X-Twice: 1\r\nX-Raw: \u{e9}\r\nX-Twice: 2\r\nX-Forwarded-For: 192.0.2.7\r\n";
        let target = format!("{key}{rest}");
        let reply = request(relay.address, method, &target, headers, b"").await;
        assert_eq!(reply.status, 200, "{method}: {reply:?}");
        assert_eq!(reply.body.is_empty(), method == "HEAD");

        let event = receive_event(&mut agent).await;
        assert_eq!(event.seq, Seq(number as u64 + 1));
        assert_eq!(event.request.method, method);
        assert_eq!(event.request.path, path);
        let twice: Vec<_> = event
            .request
            .headers
            .iter()
            .filter(|(n, _)| *n == "X-Twice")
            .collect();
        assert_eq!(twice.len(), 2);
        assert_eq!(event.request.headers.get("x-raw").unwrap(), "\u{e9}");
        assert_eq!(
            event.request.headers.get("x-forwarded-for").unwrap(),
            "192.0.2.7"
        );
        assert_eq!(event.request.headers.get("host").unwrap(), "relay.test");
        assert_eq!(event.request.peer, Some([127, 0, 0, 1].into()));
    }
    relay.stop().await;
}

#[tokio::test]
async fn bodies_of_any_bytes_and_sizes_arrive_as_sent() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let key = agent.path();
    let every_byte: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = every_byte
        .iter()
        .copied()
        .cycle()
        .take(1024 * 1024)
        .collect();

    for body in [&b""[..], b"type=item.create&item_id=1", &every_byte, &large] {
        assert_eq!(post(relay.address, &key, body).await.status, 200);
        assert_eq!(receive_event(&mut agent).await.request.body, body);
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_chunked_body_and_one_that_waits_for_100_continue_arrive_whole() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let key = agent.path();
    let mut connection = Connection::open(relay.address).await;

    connection
        .send(format!(
            "POST {key} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        ))
        .await;
    for piece in [
        "3\r\nabc\r\n",
        "2;ext=1\r\nde\r\n",
        "0\r\nTrailer: x\r\n\r\n",
    ] {
        connection.send(piece).await;
    }
    assert_eq!(connection.reply("POST").await.status, 200);
    assert_eq!(receive_event(&mut agent).await.request.body, "abcde");

    let head = "HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    connection.send(format!("POST {key} {head}")).await;
    assert_eq!(connection.reply("POST").await.status, 100);
    connection.send("late").await;
    assert_eq!(connection.reply("POST").await.status, 200);
    assert_eq!(receive_event(&mut agent).await.request.body, "late");
    relay.stop().await;
}

#[tokio::test]
async fn many_headers_pass_and_too_many_are_told() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    for count in [100, 250] {
        let headers = "X-Header: 1\r\n".repeat(count);
        let reply = request(relay.address, "POST", &agent.path(), &headers, b"x").await;
        assert_eq!(reply.status, 200);
        assert_eq!(
            receive_event(&mut agent).await.request.headers.len(),
            count + 2
        );
    }

    let headers = "X-Header: 1\r\n".repeat(257);
    let reply = request(relay.address, "POST", &agent.path(), &headers, b"x").await;
    assert_eq!(reply.status, 431);
    relay.stop().await;
}

#[tokio::test]
async fn http_2_with_prior_knowledge_is_spoken() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);

    for number in 1..=3_u64 {
        let webhook = http::Request::post(format!("http://relay.test{}/two", agent.path()))
            .body(http_body_util::Full::new(bytes::Bytes::from("over h2")))
            .unwrap();
        let answer = sender.send_request(webhook).await.unwrap();
        assert_eq!(answer.status(), 200);
        let event = receive_event(&mut agent).await;
        assert_eq!(
            (event.seq, event.request.path.as_str()),
            (Seq(number), "/two")
        );
        assert_eq!(event.request.headers.get("host").unwrap(), "relay.test");
    }
    drop(sender);
    relay.stop().await;
}

#[tokio::test]
async fn unknown_and_malformed_keys_get_the_same_404() {
    let relay = TestRelay::new().await;

    let unknown = post(relay.address, "/aaaaaaaaaaaaaaaaaaaaaaaaaa/x", "body").await;
    assert_eq!(unknown.status, 404);
    for path in [
        "/short",
        "/AAAAAAAAAAAAAAAAAAAAAAAAAA/x",
        "/",
        "/-/other",
        "/-/metrics",
    ] {
        let mut other = post(relay.address, path, "body").await;
        let date = other.header("date").unwrap().to_owned();
        other.head = other.head.replace(&date, unknown.header("date").unwrap());
        assert_eq!(other, unknown, "{path}");
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_its_sender_hears_so() {
    let relay = TestRelay::with(|limits| limits.max_body_bytes = 1000).await;
    let mut agent = relay.agent("crm").await;
    let key = agent.path();

    let reply = post(relay.address, &key, vec![b'x'; 5_000_000]).await;
    assert_eq!(reply.status, 413);
    assert!(reply.text().contains("1000 bytes"), "{reply:?}");

    let mut connection = Connection::open(relay.address).await;
    let chunk = format!("{:x}\r\n{}\r\n", 600, "x".repeat(600));
    connection
        .send(format!(
            "POST {key} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        ))
        .await;
    connection
        .try_send(format!("{chunk}{chunk}0\r\n\r\n"))
        .await;
    assert_eq!(connection.reply("POST").await.status, 413);

    let mut connection = Connection::open(relay.address).await;
    let head = "HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n";
    connection.send(format!("POST {key} {head}")).await;
    assert_eq!(
        connection.reply("POST").await.status,
        413,
        "without asking for the body"
    );

    assert_eq!(
        post(relay.address, &key, vec![b'x'; 1000]).await.status,
        200
    );
    assert_eq!(
        receive_event(&mut agent).await.seq,
        Seq(1),
        "nothing of the others was stored"
    );
    relay.stop().await;
}

#[tokio::test]
async fn health_and_metrics_are_where_they_belong() {
    let relay = TestRelay::new().await;
    let key = relay.tunnel("crm").await;
    assert_eq!(post(relay.address, &key, "x").await.status, 200);
    post(relay.address, "/nowhere", "x").await;

    for address in [relay.address, relay.admin] {
        assert_eq!(get(address, "/-/healthz").await.status, 200);
        assert_eq!(get(address, "/-/readyz").await.status, 200);
    }
    assert_eq!(get(relay.address, "/metrics").await.status, 404);
    eventually("the session to end", async || {
        get(relay.admin, "/metrics")
            .await
            .text()
            .contains("podtap_sessions 0\n")
    })
    .await;
    let metrics = get(relay.admin, "/metrics").await.text();
    for line in [
        "podtap_events_accepted_total 1",
        "podtap_events_refused_total{reason=\"unknown-tunnel\"} 2",
        "podtap_queue_events 1",
    ] {
        assert!(
            metrics.lines().any(|known| known == line),
            "{line} is not in\n{metrics}"
        );
    }
    relay.stop().await;
}
