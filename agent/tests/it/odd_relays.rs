//! Tests servers that answer instead of a relay: each is reported in plain words, ends no agent,
//! and does no harm once the relay is reachable.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::relay::TestRelay;
use crate::support::running::RunningAgent;
use crate::support::{DEADLINE, browsing};
use podtap_agent::config::LinkConfig;
use podtap_agent::{AgentConfig, LinkState};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How the agent should use the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Relay,
    SecureRelay,
    Proxy,
}

/// The server's answer while it is bad; `None` is silence.
type Answer = Option<&'static str>;

const CASES: [(As, Answer, &str); 15] = [
    (
        As::Proxy,
        Some("HTTP/1.1 403 Forbidden\r\n\r\n"),
        "(403): ask the operator of the proxy",
    ),
    (
        As::Proxy,
        Some("HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n"),
        "the proxy requires a user and a password",
    ),
    (
        As::Proxy,
        Some("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\noops"),
        "the proxy cannot reach ",
    ),
    (
        As::Proxy,
        Some("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        "is this the proxy's URL?",
    ),
    (
        As::Proxy,
        None,
        "the proxy did not connect to the relay in time",
    ),
    (
        As::Relay,
        Some("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
        "answered with a web page (200)",
    ),
    (
        As::Relay,
        Some("HTTP/1.1 302 Found\r\nlocation: http://login.test/\r\ncontent-length: 0\r\n\r\n"),
        "answered with a web page (302)",
    ),
    (
        As::Relay,
        Some("HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n"),
        "so it is not a relay: check the URL",
    ),
    (
        As::Relay,
        Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
        "blocked the agent (403)",
    ),
    (
        As::Relay,
        Some("HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n"),
        "a proxy requires a user and a password (407)",
    ),
    // Only a relay's own answer refuses a token for good.
    (
        As::Relay,
        Some("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\n\r\n"),
        "requires a login (401)",
    ),
    (
        As::Relay,
        Some("SSH-2.0-OpenSSH_9.9\r\n"),
        "does not speak HTTP",
    ),
    (
        As::Relay,
        Some(""),
        "closed the connection without an answer",
    ),
    (
        As::Relay,
        None,
        "accepts the connection but does not answer",
    ),
    (
        As::SecureRelay,
        Some("HTTP/1.1 400 Bad Request\r\n\r\n"),
        "the server does not speak TLS",
    ),
];

/// Answers badly until `good` is set, and then forwards to the relay.
async fn stand_in(
    is: As,
    answer: Answer,
    good: Arc<AtomicBool>,
    relay: SocketAddr,
    at: TcpListener,
) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = at.accept().await {
        let good = good.load(Ordering::SeqCst);
        connections.spawn(async move {
            if !good {
                let mut request = [0; 4096];
                if near.read(&mut request).await.is_err() {
                    return;
                }
                match answer {
                    Some(answer) => near.write_all(answer.as_bytes()).await.ok(),
                    None => near.read_to_end(&mut Vec::new()).await.ok().map(drop),
                };
                return;
            }
            if is == As::Proxy {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(near.read_u8().await.unwrap());
                }
                near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            }
            let mut far = TcpStream::connect(relay).await.unwrap();
            tokio::io::copy_bidirectional(&mut near, &mut far)
                .await
                .ok();
        });
    }
}

async fn is_told_and_passes(is: As, answer: Answer, words: &str, relay: SocketAddr, token: String) {
    let folder = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let good = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    tasks.spawn(stand_in(is, answer, Arc::clone(&good), relay, listener));
    let (url, proxy) = match is {
        As::Relay => (format!("http://{address}"), None),
        As::SecureRelay => (format!("https://{address}"), None),
        As::Proxy => (
            format!("http://{relay}"),
            Some(format!("http://{address}").parse().unwrap()),
        ),
    };
    // Each case has its own tunnel, because the cases run at the same time.
    let tunnel = format!("case-{}", address.port()).parse().unwrap();
    let mut link = LinkConfig::new(url.parse().unwrap(), token.into(), tunnel);
    link.proxy = proxy;
    let running = RunningAgent::start(AgentConfig {
        link: Some(link),
        ..browsing(&folder)
    });

    let mut status = running.handle.status();
    let told = status.wait_for(|status| {
        let is_retried = |attempt: u32| attempt >= 2 || answer.is_none();
        match &status.link {
            LinkState::Connecting {
                attempt,
                reason: Some(reason),
                ..
            } => {
                assert!(reason.contains(words), "{reason:?} is not {words:?}");
                is_retried(*attempt)
            }
            LinkState::Stopped { reason } => panic!("{words:?} ended the agent: {reason}"),
            _ => false,
        }
    });
    let told = tokio::time::timeout(DEADLINE, told).await;
    assert!(told.is_ok_and(|told| told.is_ok()), "never told: {words}");
    if is != As::SecureRelay {
        good.store(true, Ordering::SeqCst);
        let up = status.wait_for(|status| matches!(status.link, LinkState::Up { .. }));
        let up = tokio::time::timeout(DEADLINE, up).await;
        assert!(up.is_ok_and(|up| up.is_ok()), "never over: {words}");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_relay_is_told_in_words_and_is_over_when_the_relay_is_there() {
    let mut relay = TestRelay::start().await;
    let token = relay.token("ann").await;

    let mut cases = JoinSet::new();
    for (is, answer, words) in CASES {
        cases.spawn(is_told_and_passes(
            is,
            answer,
            words,
            relay.address,
            token.clone(),
        ));
    }
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }

    relay.stop().await;
}
