//! Tests a relay behind a load balancer that uses the PROXY protocol: the sender is the one
//! that the balancer names, and headers from any other peer are ignored or refused.

use std::net::{IpAddr, Ipv6Addr, TcpListener};
use std::time::Duration;

use podtap_relay::IpNet;
use proxy_header::{ProxiedAddress, ProxyHeader};

use crate::support::http::{Connection, get};
use crate::support::{Agent, TestRelay, eventually};

/// The only trusted proxy; senders on other loopback addresses are not trusted.
const PROXY: &str = "127.0.0.1/32";

async fn relay(head_timeout: Duration, max_per_peer: usize) -> (TestRelay, Agent) {
    let relay = TestRelay::start_configured(|config| {
        config.trusted_proxies = Some(vec![PROXY.parse().unwrap()]);
        config.proxy_protocol = true;
        config.limits.head_timeout = head_timeout;
        config.limits.max_connections_per_peer = Some(max_per_peer);
    });
    let relay = relay.await;
    // The agent connects without the balancer.
    let agent = Agent::connect_from("127.0.0.3", relay.address, &relay.token, "crm").await;
    (relay, agent)
}

const LONG: Duration = Duration::from_mins(5);

fn webhook(path: &str) -> Vec<u8> {
    format!(
        "POST {path}/hook HTTP/1.1\r\nHost: relay.test\r\nX-Forwarded-For: 198.51.100.1\r\n\
         Content-Length: 2\r\n\r\nhi"
    )
    .into_bytes()
}

fn binary(sender: &str) -> Vec<u8> {
    let sender: std::net::SocketAddr = sender.parse().unwrap();
    let receiver = if sender.is_ipv4() {
        "192.0.2.1:443"
    } else {
        "[2001:db8::1]:443"
    };
    let address = ProxiedAddress::stream(sender, receiver.parse().unwrap());
    let mut bytes = Vec::new();
    ProxyHeader::with_address(address)
        .encode_v2(&mut bytes)
        .unwrap();
    bytes
}

async fn failures(relay: &TestRelay, reason: &str) -> String {
    let metrics = get(relay.admin, "/metrics").await.text();
    let name = format!("podtap_handshakes_failed_total{{reason=\"{reason}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_sender_is_whom_the_header_names_whatever_the_request_says() {
    let (relay, mut agent) = relay(LONG, 100).await;
    let path = agent.path();
    for (header, sender) in [
        (
            b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n".to_vec(),
            "203.0.113.7",
        ),
        (
            b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n".to_vec(),
            "2001:db8::7",
        ),
        (binary("203.0.113.8:1"), "203.0.113.8"),
        (binary("[2001:db8::8]:1"), "2001:db8::8"),
        (binary("[::ffff:203.0.113.9]:1"), "203.0.113.9"),
        // A connection of the proxy itself, on which a web server forwards requests.
        (b"PROXY UNKNOWN\r\n".to_vec(), "198.51.100.1"),
    ] {
        let mut connection = Connection::open(relay.address).await;
        // Sent in pieces, as a network may deliver it.
        let (start, rest) = header.split_at(9);
        connection.send(start).await;
        tokio::task::yield_now().await;
        connection.send([rest, &webhook(&path)].concat()).await;
        assert_eq!(connection.reply("POST").await.status, 200, "{sender}");
        let event = agent.event().await;
        assert_eq!(event.request.peer.unwrap().to_string(), sender);
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_header_of_a_stranger_is_refused_and_told() {
    let (relay, mut agent) = relay(LONG, 100).await;
    for header in [
        b"PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n".to_vec(),
        binary("203.0.113.7:1"),
    ] {
        let mut stranger = Connection::open_from("127.0.0.2", relay.address).await;
        stranger
            .send([&header[..], &webhook(&agent.path())].concat())
            .await;
        let refused = stranger.reply("POST").await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.text().contains("only from trusted proxies"),
            "{}",
            refused.text()
        );
    }
    eventually("the count", || async {
        failures(&relay, "proxy-stranger").await == "2"
    })
    .await;

    let mut stranger = Connection::open_from("127.0.0.2", relay.address).await;
    stranger.send(webhook(&agent.path())).await;
    assert_eq!(stranger.reply("POST").await.status, 200);
    assert_eq!(
        agent.event().await.request.peer.unwrap().to_string(),
        "127.0.0.2"
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_header_that_is_missing_broken_cut_or_endless_lets_nothing_in() {
    let (relay, agent) = relay(Duration::from_secs(2), 100).await;
    let mut missing = Connection::open(relay.address).await;
    missing.send(webhook(&agent.path())).await;
    let refused = missing.reply("POST").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("PROXY header is expected"),
        "{}",
        refused.text()
    );

    let mut broken = Connection::open(relay.address).await;
    broken.send(b"PROXY TCP4 nobody 192.0.2.1 1 2\r\n").await;
    assert_eq!(broken.read_until_closed().await, b"");
    let mut long = Connection::open(relay.address).await;
    long.send(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff").await;
    assert_eq!(long.read_until_closed().await, b"");
    let mut cut = Connection::open(relay.address).await;
    cut.send(b"PROXY TCP4 203.0").await;
    cut.close_half().await;
    assert_eq!(cut.read_until_closed().await, b"");
    // Exactly as many bytes as the header announces are read.
    let mut half = Connection::open(relay.address).await;
    half.send(&binary("203.0.113.7:1")[..20]).await;
    half.close_half().await;
    assert_eq!(half.read_until_closed().await, b"");
    eventually("the count", || async {
        failures(&relay, "proxy-header").await == "5"
    })
    .await;

    let mut endless = Connection::open(relay.address).await;
    endless.send(b"PROXY TCP4 203.0").await;
    assert_eq!(endless.read_until_closed().await, b"");
    eventually("the timeout", || async {
        failures(&relay, "timeout").await == "1"
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn each_sender_behind_the_proxy_has_its_own_number_of_connections() {
    let (relay, agent) = relay(LONG, 2).await;
    let header = |sender| format!("PROXY TCP4 {sender} 192.0.2.1 1 2\r\n");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut busy = Connection::open(relay.address).await;
        let head = format!(
            "POST {}/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9",
            agent.path()
        );
        let head = format!("{head}\r\nExpect: 100-continue\r\n\r\n");
        busy.send(header("203.0.113.7") + &head).await;
        assert_eq!(busy.reply("POST").await.status, 100, "the body is awaited");
        open.push(busy);
    }
    for (sender, status) in [("203.0.113.7", 503), ("203.0.113.8", 200)] {
        let mut other = Connection::open(relay.address).await;
        let ask = "GET /-/healthz HTTP/1.1\r\nHost: h\r\n\r\n";
        other.send(header(sender) + ask).await;
        assert_eq!(other.reply("GET").await.status, status, "{sender}");
    }
    relay.stop().await;
}

/// Starts a relay on the IPv6 loopback address that trusts this network.
async fn on_ipv6(trusted: &str, speaks_proxy: bool) -> TestRelay {
    TestRelay::start_configured(|config| {
        config.listen = (Ipv6Addr::LOCALHOST, 0).into();
        config.trusted_proxies = Some(vec![trusted.parse().unwrap()]);
        config.proxy_protocol = speaks_proxy;
    })
    .await
}

fn has_ipv6() -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    #[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
    if !has {
        eprintln!("skipped: this machine has no IPv6");
    }
    has
}

#[tokio::test]
async fn a_proxy_with_an_ipv6_address_is_believed_and_a_stranger_with_one_is_not() {
    if !has_ipv6() {
        return;
    }
    for (trusted, peer) in [
        ("::1", "2001:db8:1::7"),
        ("::/64", "2001:db8:1::7"),
        ("2001:db8::/32", "::1"),
    ] {
        let trusted = match trusted.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address).to_string(),
            Err(_) => trusted.to_owned(),
        };
        let relay = on_ipv6(&trusted, false).await;
        let mut agent = relay.agent("crm").await;
        for header in [
            "X-Forwarded-For: 192.0.2.1, 2001:db8:1::7",
            "Forwarded: for=\"[2001:db8:1::7]:4711\"",
        ] {
            let mut connection = Connection::open(relay.address).await;
            let path = agent.path();
            let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\n{header}\r\n");
            connection
                .send(format!("{head}Content-Length: 0\r\n\r\n"))
                .await;
            assert_eq!(connection.reply("POST").await.status, 200);
            let event = agent.event().await;
            assert_eq!(event.request.peer.unwrap().to_string(), peer, "{trusted}");
        }
        relay.stop().await;
    }
}

#[tokio::test]
async fn the_proxy_protocol_is_spoken_with_an_ipv6_proxy_and_not_with_a_stranger() {
    if !has_ipv6() {
        return;
    }
    let ask = b"GET /-/healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    for (trusted, status) in [("::1/128", 200), ("2001:db8::/32", 400)] {
        let relay = on_ipv6(trusted, true).await;
        for header in [
            b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n".to_vec(),
            binary("[2001:db8::8]:1"),
        ] {
            let mut connection = Connection::open(relay.address).await;
            connection.send([&header[..], ask].concat()).await;
            assert_eq!(connection.reply("GET").await.status, status, "{trusted}");
        }
        relay.stop().await;
    }
}
