//! Tests which requests the relay accepts, and which proxies it trusts.

use std::time::Duration;

use podtap_relay::{IpNet, Rate};
use podtap_wire::{HeaderList, Notice, RelayFrame, Respond, WebhookResponse};

use crate::support::http::{Connection, Reply, post, request};
use crate::support::{TestRelay, within};

/// Sends these bytes on a new connection and returns the answer.
async fn raw(relay: &TestRelay, bytes: &str) -> Reply {
    let mut connection = Connection::open(relay.address).await;
    connection.send(bytes).await;
    connection.reply("GET").await
}

#[tokio::test]
async fn a_request_names_one_host_and_uses_a_method_that_exists() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();

    for (start, hosts, status) in [
        ("POST PATH HTTP/1.1", "", 400),
        ("POST PATH HTTP/1.1", "Host: a\r\nHost: b\r\n", 400),
        ("POST PATH HTTP/1.1", "Host: a\r\nHost: a\r\n", 400),
        ("POST PATH HTTP/1.1", "Host: a, b\r\n", 400),
        ("POST PATH HTTP/1.1", "Host: a b\r\n", 400),
        ("POST PATH HTTP/1.1", "Host:\r\n", 400),
        ("GET /-/healthz HTTP/1.1", "", 400),
        ("CONNECT PATH HTTP/1.1", "Host: a\r\n", 405),
        ("TRACE PATH HTTP/1.1", "Host: a\r\n", 405),
        ("CONNECT a:443 HTTP/1.1", "Host: a:443\r\n", 405),
        ("post PATH HTTP/1.1", "Host: a\r\n", 501),
        ("P!ST PATH HTTP/1.1", "Host: a\r\n", 501),
        (
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA PATH HTTP/1.1",
            "Host: a\r\n",
            501,
        ),
    ] {
        let start = start.replace("PATH", &path);
        let head = format!("{start}\r\n{hosts}Content-Length: 0\r\n\r\n");
        let reply = raw(&relay, &head).await;
        assert_eq!(reply.status, status, "{head:?} {reply:?}");
        assert_eq!(reply.header("allow").is_some(), status == 405, "{head:?}");
    }

    let old = raw(
        &relay,
        &format!("POST {path} HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
    )
    .await;
    assert_eq!(old.status, 200, "HTTP/1.0 need not name a host");
    assert_eq!(agent.event().await.seq.0, 1, "and nothing else is an event");
    relay.stop().await;
}

#[tokio::test]
async fn only_the_methods_that_are_set_are_taken() {
    let relay = TestRelay::start_configured(|config| {
        config.methods = "POST,PUT".parse().unwrap();
    })
    .await;
    let path = relay.tunnel("crm").await;

    let preview = request(relay.address, "GET", &path, "", b"").await;

    assert_eq!(preview.status, 405);
    assert_eq!(preview.header("allow"), Some("POST, PUT"));
    assert_eq!(post(relay.address, &path, "x").await.status, 200);
    let healthy = request(relay.address, "GET", "/-/healthz", "", b"").await;
    assert_eq!(healthy.status, 200, "the relay's own paths are no webhooks");
    relay.stop().await;
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_the_sender_is() {
    let trusted: IpNet = "127.0.0.1/32".parse().unwrap();
    let relay = TestRelay::start_configured(|config| {
        config.trusted_proxies = Some(vec![trusted]);
    })
    .await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    let webhook = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\
         X-Forwarded-For: 203.0.113.1, 198.51.100.7\r\n\r\n"
    );

    for (source, peer) in [("127.0.0.1", "198.51.100.7"), ("127.0.0.2", "127.0.0.2")] {
        let mut connection = Connection::open_from(source, relay.address).await;
        connection.send(&webhook).await;
        assert_eq!(connection.reply("POST").await.status, 200);
        let event = agent.event().await;
        agent.ack(event.seq).await;
        assert_eq!(event.request.peer, Some(peer.parse().unwrap()));
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_local_services_answer_says_nothing_about_the_host() {
    let relay = TestRelay::new().await;
    let mut agent =
        crate::support::Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
            hello.respond = Respond::Local;
        })
        .await;
    let mut sender = Connection::open(relay.address).await;
    let path = agent.path();
    sender
        .send(format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
    let event = agent.event().await;
    let headers: HeaderList = [
        ("Set-Cookie", "a=b"),
        ("Strict-Transport-Security", "max-age=99999999"),
        ("Content-Type", "text/html"),
    ]
    .into_iter()
    .collect();
    let response = WebhookResponse {
        status: 202,
        headers,
        body: "<h1>".into(),
    };
    agent.respond(event.seq, response).await;

    let reply = sender.reply("POST").await;

    assert_eq!((reply.status, reply.text().as_str()), (202, "<h1>"));
    assert_eq!(reply.header("content-security-policy"), Some("sandbox"));
    assert_eq!(reply.header("content-type"), Some("text/html"));
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(reply.header("strict-transport-security"), None);
    let worker = request(
        relay.address,
        "GET",
        &path,
        "Service-Worker: script\r\n",
        b"",
    )
    .await;
    assert_eq!(worker.status, 403);
    relay.stop().await;
}

#[tokio::test]
async fn one_address_leaves_a_part_of_a_tunnels_rate_to_others() {
    let relay = TestRelay::with(|limits| {
        limits.max_rate = Some(Rate {
            per_second: 0.01,
            burst: 16.0,
        });
    })
    .await;
    let path = relay.tunnel("crm").await;
    let webhook = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(post(relay.address, &path, "x").await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 14);

    for expected in [200, 200, 503] {
        let mut other = Connection::open_from("127.0.0.2", relay.address).await;
        other.send(&webhook).await;
        assert_eq!(other.reply("POST").await.status, expected);
    }
    relay.stop().await;
}

#[tokio::test]
async fn one_address_has_a_rate_over_all_urls() {
    let relay = TestRelay::with(|limits| {
        limits.max_rate_per_peer = Some(Rate {
            per_second: 0.01,
            burst: 5.0,
        });
    })
    .await;

    for number in 0..8 {
        let reply = post(relay.address, &format!("/nobody-{number}"), "x").await;
        assert_eq!(reply.status, if number < 5 { 404 } else { 503 });
    }

    let mut other = Connection::open_from("127.0.0.2", relay.address).await;
    other.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(other.reply("GET").await.status, 404);
    relay.stop().await;
}

#[tokio::test]
async fn the_agent_hears_what_was_refused_also_later() {
    let relay = TestRelay::with(|limits| limits.max_body_bytes = 9).await;
    let path = relay.tunnel("crm").await;
    for _ in 0..3 {
        assert_eq!(post(relay.address, &path, "0123456789").await.status, 413);
    }

    let mut agent = relay.agent("crm").await;
    let Some(RelayFrame::Notice(Notice::Refused { count, reason, .. })) = agent.frame().await
    else {
        panic!("no notice");
    };
    assert_eq!((count, reason.as_str()), (3, "body over 9 bytes"));

    assert_eq!(post(relay.address, &path, "0123456789").await.status, 413);
    let Some(RelayFrame::Notice(Notice::Refused { count, .. })) = agent.frame().await else {
        panic!("no notice");
    };
    assert_eq!(count, 1, "only what is new");
    relay.stop().await;
}

#[tokio::test]
async fn one_tunnel_does_not_take_the_memory_for_bodies_from_the_others() {
    const MIB: usize = 1024 * 1024;
    let relay = TestRelay::with(|limits| {
        limits.max_body_bytes = MIB;
        limits.max_inflight_bytes = 8 * MIB;
        limits.min_body_rate = None;
        limits.body_timeout = Duration::from_mins(10);
    })
    .await;
    let (hog, other) = (relay.tunnel("hog").await, relay.tunnel("other").await);
    let head = format!("POST {hog} HTTP/1.1\r\nHost: h\r\nContent-Length: {MIB}\r\n\r\n");
    // One after the other: several connections at once might all find too much in use and give up.
    let mut held = Vec::new();
    let mut full = async || {
        let mut connection = Connection::open(relay.address).await;
        connection.try_send(&head).await;
        connection.try_send(vec![b'x'; MIB - 1]).await;
        held.push(connection);
        post(relay.address, &hog, vec![b'x'; 600_000]).await.status == 503
    };
    within("the tunnel to be at its limit", async {
        while !full().await {}
    })
    .await;

    assert_eq!(
        post(relay.address, &other, vec![b'x'; MIB]).await.status,
        200
    );
    assert_eq!(post(relay.address, &hog, "small").await.status, 200);
    drop(held);
    relay.stop().await;
}

#[tokio::test]
async fn a_body_that_drips_is_cut_off_before_its_whole_time() {
    let relay = TestRelay::with(|limits| {
        limits.body_timeout = Duration::from_mins(10);
    })
    .await;
    let path = relay.tunnel("crm").await;
    let mut connection = Connection::open(relay.address).await;

    connection
        .send(format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n"
        ))
        .await;
    connection.send("drip").await;

    assert_eq!(connection.reply("POST").await.status, 408);
    relay.stop().await;
}

#[tokio::test]
async fn header_names_keep_their_letters_and_their_order() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    let mut connection = Connection::open(relay.address).await;

    for (framing, body) in [
        ("CONTENT-length: 4", "body"),
        ("Transfer-ENCODING: chunked", "4\r\nbody\r\n0\r\n\r\n"),
        ("content-Length: 0", ""),
    ] {
        let head =
            format!("POST {path} HTTP/1.1\r\nX-TWICE: 1\r\nHoSt: h\r\n{framing}\r\nx-Twice: 2");
        // Sent in two pieces, as a network may deliver it.
        let (first, second) = head.split_at(head.len() - 20);
        connection.send(first).await;
        tokio::task::yield_now().await;
        connection.send(format!("{second}\r\n\r\n{body}")).await;
        assert_eq!(connection.reply("POST").await.status, 200);
        let event = agent.event().await;
        agent.ack(event.seq).await;
        let names: Vec<&str> = event.request.headers.iter().map(|(name, _)| name).collect();
        let framing = framing.split(':').next().unwrap();
        assert_eq!(names, ["X-TWICE", "HoSt", framing, "x-Twice"]);
    }
    relay.stop().await;
}

#[tokio::test]
async fn unfinished_heads_are_bounded_together() {
    let relay = TestRelay::with(|limits| {
        limits.max_head_memory = 2 * 100_000;
    })
    .await;
    let path = relay.tunnel("crm").await;
    let mut held = Vec::new();
    for _ in 0..12 {
        let mut connection = Connection::open(relay.address).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nX: {}",
            "x".repeat(12_000)
        );
        connection.send(head).await;
        held.push(connection);
    }

    assert!(
        held[0].read_until_closed().await.is_empty(),
        "the oldest made room"
    );
    assert_eq!(post(relay.address, &path, "x").await.status, 200);
    let last = held.last_mut().unwrap();
    last.send("\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(last.reply("POST").await.status, 200);
    let mut long = Connection::open(relay.address).await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n",
        "x".repeat(17_000)
    );
    long.send(head).await;
    assert_eq!(long.reply("POST").await.status, 431);
    drop(held);
    relay.stop().await;
}
