//! Tests a relay with its own certificate: senders with both protocols, a plain port beside
//! it, and handshakes that fail.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use podtap_wire::{ConnectRefusal, RefusalKind};
use rustix::process::{Resource, getrlimit};
use tempfile::{TempDir, tempdir};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http::{Connection, get, post, request};
use crate::support::tls::{Authority, peer_certificate};
use crate::support::{TestRelay, eventually, within};

/// A relay with a certificate and a plain port, and one of its tunnels.
struct SecuredRelay {
    relay: TestRelay,
    authority: Authority,
    folder: TempDir,
}

impl SecuredRelay {
    async fn new(head_timeout: Duration) -> Self {
        let (authority, folder) = (Authority::new(), tempdir().unwrap());
        let tls = authority.issue(folder.path());
        let relay = TestRelay::start_configured(|config| {
            config.tls = tls;
            config.http_listen = Some(([127, 0, 0, 1], 0).into());
            config.limits.head_timeout = head_timeout;
        });
        Self {
            relay: relay.await,
            authority,
            folder,
        }
    }

    /// Returns the value of a metric in the text of a plain GET.
    async fn metric(&self, name: &str) -> String {
        let metrics = get(self.relay.admin, "/metrics").await.text();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    }
}

const LONG: Duration = Duration::from_mins(5);

#[tokio::test]
async fn senders_choose_http_2_or_1_by_alpn_and_are_answered() {
    let secured = SecuredRelay::new(LONG).await;
    let address = secured.relay.address;
    let path = format!("/{}/hook", "a".repeat(26));

    let old = secured
        .authority
        .connect(address, &["http/1.1"])
        .await
        .unwrap();
    assert_eq!(old.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut old = Connection::over(old);
    for _ in 0..2 {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: hooks.test\r\nContent-Length: 2\r\n\r\nhi");
        old.send(head).await;
        assert_eq!(old.reply("POST").await.status, 404, "no such tunnel");
    }

    let new = secured
        .authority
        .connect(address, &["h2", "http/1.1"])
        .await
        .unwrap();
    assert_eq!(new.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(new));
    let (mut sender, connection) = within("HTTP/2", shaken).await.unwrap();
    let mut connections = tokio::task::JoinSet::new();
    connections.spawn(connection);
    let body = Full::new(Bytes::from_static(b"hi"));
    let asked = http::Request::post(format!("https://hooks.test{path}"))
        .body(body)
        .unwrap();
    let answer = within("an answer", sender.send_request(asked))
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);

    let none = secured.authority.connect(address, &["acme-tls/1"]).await;
    assert!(none.is_err(), "nothing in common");
    secured.relay.stop().await;
}

#[tokio::test]
async fn the_plain_port_takes_webhooks_and_no_tokens() {
    let secured = SecuredRelay::new(LONG).await;
    let plain = secured.relay.plain.unwrap();
    let unknown = format!("/{}/hook", "a".repeat(26));
    assert_eq!(post(plain, &unknown, "hi").await.status, 404);
    assert_eq!(get(plain, "/-/readyz").await.status, 200);
    let token = format!("Authorization: Bearer {}\r\n", secured.relay.token);
    for path in ["/-/connect", "/-/tunnels", "/-/tunnels/crm"] {
        let refused = request(plain, "GET", path, &token, b"").await;
        let refusal: ConnectRefusal = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!(refusal.kind, RefusalKind::Malformed, "{path}");
        assert!(refusal.message.contains("https://"), "{}", refusal.message);
    }
    secured.relay.stop().await;
}

#[tokio::test]
async fn new_connections_get_a_new_certificate_and_open_ones_keep_theirs() {
    let secured = SecuredRelay::new(LONG).await;
    let connect = || async {
        let connected = secured.authority.connect(secured.relay.address, &[]).await;
        connected.unwrap()
    };
    let mut open = Connection::over(connect().await);
    let first = peer_certificate(&connect().await);

    secured.authority.issue(secured.folder.path());
    secured.relay.reload.as_ref().unwrap().notify_one();
    eventually("the new certificate", || async {
        peer_certificate(&connect().await) != first
    })
    .await;
    open.send("GET /-/readyz HTTP/1.1\r\nHost: hooks.test\r\n\r\n")
        .await;
    assert_eq!(open.reply("GET").await.status, 200, "what was open stays");
    let until = secured
        .metric("podtap_certificate_expiry_timestamp_seconds")
        .await;
    assert!(until.parse::<i64>().unwrap() > 1_700_000_000, "{until}");
    for address in [secured.relay.plain.unwrap(), secured.relay.admin] {
        let health = get(address, "/-/healthz").await;
        assert_eq!(health.status, 200);
        assert!(health.text().contains("days left: "), "{}", health.text());
    }
    secured.relay.stop().await;
}

#[tokio::test]
async fn http_on_the_secured_port_hears_what_to_do() {
    let secured = SecuredRelay::new(LONG).await;
    let answer = get(secured.relay.address, "/-/readyz").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    let mut nonsense = Connection::open(secured.relay.address).await;
    nonsense.send([0, 1, 2, 3, 4]).await;
    nonsense.read_until_closed().await;
    for reason in ["plain-text", "tls"] {
        let name = format!("podtap_handshakes_failed_total{{reason=\"{reason}\"}}");
        eventually(reason, || async { secured.metric(&name).await == "1" }).await;
    }
    secured.relay.stop().await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_closed_and_keeps_nobody_waiting() {
    let secured = SecuredRelay::new(Duration::from_secs(2)).await;
    let mut silent = TcpStream::connect(secured.relay.address).await.unwrap();
    let mut half = TcpStream::connect(secured.relay.address).await.unwrap();
    // The head of a hello that announces more bytes than are sent.
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1]).await.unwrap();

    let stream = secured
        .authority
        .connect(secured.relay.address, &[])
        .await
        .unwrap();
    let mut other = Connection::over(stream);
    other
        .send("GET /-/readyz HTTP/1.1\r\nHost: hooks.test\r\n\r\n")
        .await;
    assert_eq!(other.reply("GET").await.status, 200);

    for stream in [&mut silent, &mut half] {
        let mut rest = Vec::new();
        within("the end", stream.read_to_end(&mut rest)).await.ok();
        assert_eq!(rest, b"");
    }
    let timeouts = "podtap_handshakes_failed_total{reason=\"timeout\"}";
    eventually("the count", || async {
        secured.metric(timeouts).await == "2"
    })
    .await;
    secured.relay.stop().await;
}

/// Maximum number of handshakes at once: docs/OPERATING.md.
const MAX_HANDSHAKES: usize = 1024;

#[tokio::test]
async fn of_too_many_handshakes_the_oldest_are_closed_and_a_sender_comes_in() {
    let open_files = getrlimit(Resource::Nofile).maximum;
    if open_files.is_some_and(|most| most < 4 * MAX_HANDSHAKES as u64) {
        eprintln!("skipped: this process may open only {open_files:?} files");
        return;
    }
    let secured = SecuredRelay::new(LONG).await;
    let mut half = Vec::new();
    for number in 0..MAX_HANDSHAKES + 8 {
        // More than one address may have.
        let source = format!("127.0.0.{}", 2 + number % 2);
        let mut connection = Connection::open_from(&source, secured.relay.address).await;
        connection.try_send([0x16, 3, 1, 2, 0, 1, 0, 1]).await;
        half.push(connection);
    }
    let room = "podtap_handshakes_failed_total{reason=\"room\"}";
    eventually("the oldest are closed", || async {
        secured.metric(room).await == "8"
    })
    .await;

    let connected = secured.authority.connect(secured.relay.address, &[]).await;
    let mut sender = Connection::over(connected.unwrap());
    sender
        .send("GET /-/readyz HTTP/1.1\r\nHost: hooks.test\r\n\r\n")
        .await;
    assert_eq!(sender.reply("GET").await.status, 200);
    assert_eq!(secured.metric(room).await, "9");
    secured.relay.stop().await;
}

#[tokio::test]
async fn a_relay_ends_while_handshakes_are_under_way() {
    let secured = SecuredRelay::new(LONG).await;
    let _silent = TcpStream::connect(secured.relay.address).await.unwrap();
    secured.relay.stop().await;
}
