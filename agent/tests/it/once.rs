//! Tests that events are delivered as they arrive, before their commit: each once, unless a process
//! was killed, and those of an object in order (invariants 1 and 2), through bursts, lost links and
//! clean restarts of either side.

use std::collections::HashMap;
use std::time::Duration;

use crate::support::relay::TestRelay;
use crate::support::running::RunningAgent;
use crate::support::{Received, Service, delivering, ok};
use podtap_agent::AgentConfig;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Number of connections that send at the same time, each about its own items.
const SENDERS: u64 = 8;

/// Number of items per sender.
const ITEMS: u64 = 5;

/// Maximum time for the whole test.
const DEADLINE: Duration = Duration::from_mins(10);

/// Sends `events` events over one connection, one after another, with revisions from `first`.
async fn send(url: String, sender: u64, first: u64, events: u64) {
    let rest = url.strip_prefix("http://").unwrap();
    let (authority, base) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for revision in first..first + events {
        let item = sender * ITEMS + revision % ITEMS;
        let body = format!("type=item.update&item_id={item}&item_revision_id={revision}&hook_id=7");
        let request = format!(
            "POST /{base}hook HTTP/1.1\r\nhost: {authority}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
}

async fn burst(url: &str, first: u64, events: u64) {
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(send(url.to_owned(), sender, first, events / SENDERS));
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
}

/// Returns the value of a parameter of the body.
fn param(request: &Received, name: &str) -> u64 {
    let body = std::str::from_utf8(&request.body).unwrap();
    let value = body
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    value.unwrap().parse().unwrap()
}

/// Sends bursts, with a pause, a restart of the relay,
/// a cut link and a restart of the agent in between.
async fn each_event_once(events: u64) {
    let mut relay = TestRelay::start().await;
    let service = Service::start(|_| ok()).await;
    let folder = TempDir::new().unwrap();
    let config = AgentConfig {
        link: Some(relay.link().await),
        ..delivering(&folder, service.address)
    };
    let mut agent = RunningAgent::start(config.clone());
    let a_part = events / 4;
    let mut sent = 0;
    for part in 0..4 {
        let url = agent.up().await;
        // The next interruption comes while the events are still on their way.
        burst(&url, part * a_part, a_part).await;
        sent += a_part / SENDERS * SENDERS;
        match part {
            0 => {
                relay.stop().await;
                relay.resume().await;
            }
            1 | 2 => {
                agent.stop().await;
                agent = RunningAgent::start(config.clone());
            }
            _ => {}
        }
    }
    let all = async {
        while (service.count() as u64) < sent {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let all = tokio::time::timeout(DEADLINE, all).await;
    assert!(all.is_ok(), "{} of {sent} delivered", service.count());
    // Events that are stored as delivered are not delivered again.
    agent.stop().await;
    let agent = RunningAgent::start(config);
    agent.up().await;
    agent.stop().await;

    let mut ids: HashMap<String, u32> = HashMap::new();
    let mut newest: HashMap<u64, u64> = HashMap::new();
    for request in service.requests() {
        let id = request.header("podtap-event-id").unwrap().to_owned();
        *ids.entry(id).or_default() += 1;
        let (item, revision) = (
            param(&request, "item_id"),
            param(&request, "item_revision_id"),
        );
        let before = newest.insert(item, revision);
        assert!(
            before.is_none_or(|before| before < revision),
            "item {item}: {revision} after {before:?}"
        );
    }
    ids.retain(|_, times| *times > 1);
    assert!(ids.is_empty(), "more than once: {ids:?}");
    assert_eq!(service.count() as u64, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_delivered_once_and_in_order_through_bursts_and_restarts() {
    each_event_once(1_600).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: cargo test -p podtap-agent --test it --release -- --ignored a_hundred_thousand"]
async fn a_hundred_thousand_events_are_delivered_once_and_in_order() {
    each_event_once(100_000).await;
}
