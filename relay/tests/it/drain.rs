//! Tests the start and the shutdown: what keeps a relay from starting, and what it still
//! does when it is told to stop.

use std::time::Duration;

use podtap_relay::{DatabaseError, StartError};
use podtap_wire::{Notice, Seq};
use tempfile::tempdir;

use crate::support::http::{Connection, get, post};
use crate::support::{TestRelay, bind, eventually};

#[tokio::test]
async fn a_shutdown_answers_what_was_accepted_and_sends_agents_away() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    let mut slow = Connection::open(relay.address).await;
    slow.send(format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1"
    ))
    .await;
    let mut idle = Connection::open(relay.address).await;
    idle.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
        .await;
    assert_eq!(idle.reply("GET").await.status, 200);

    relay.begin_shutdown();

    eventually("readiness to end", async || {
        get(relay.admin, "/-/readyz").await.status == 503
    })
    .await;
    idle.read_until_closed().await;
    slow.send("2").await;
    assert_eq!(slow.reply("POST").await.status, 200);
    assert_eq!(agent.event().await.request.method, "GET");
    agent.ack(Seq(1)).await;
    let farewell = agent.farewell().await;
    assert!(
        matches!(farewell.notice, Some(Notice::Draining { .. })),
        "{farewell:?}"
    );
    assert_eq!(farewell.code, Some(1012));
    relay.stop().await;
    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    assert_eq!(agent.welcome.backlog, 1, "the last acknowledgement counts");
    assert_eq!(
        agent.event().await.request.body,
        "12",
        "so does the last webhook"
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_request_that_is_on_its_way_when_the_shutdown_begins_is_answered() {
    let relay = TestRelay::new().await;
    let path = relay.tunnel("crm").await;
    let mut quiet = Vec::new();
    for number in 0..16 {
        let mut connection = Connection::open(relay.address).await;
        if number % 2 == 0 {
            connection.send(webhook(&path)).await;
            assert_eq!(connection.reply("POST").await.status, 200);
        }
        quiet.push(connection);
    }
    eventually("the connections to be taken", async || {
        relay.metric("podtap_connections").await > quiet.len() as u64
    })
    .await;

    for connection in &mut quiet {
        connection.send(webhook(&path)).await;
    }
    relay.begin_shutdown();

    for connection in &mut quiet {
        assert_eq!(connection.reply("POST").await.status, 200);
        connection.read_until_closed().await;
    }
    relay.stop().await;
}

fn webhook(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_shutdown_ends_by_its_deadline_whatever_others_do() {
    let relay = TestRelay::with(|limits| {
        limits.drain_deadline = Duration::from_millis(400);
    })
    .await;
    let agent = relay.agent("crm").await;
    let mut stuck = Connection::open(relay.address).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1",
        agent.path()
    );
    stuck.send(head).await;
    let started = tokio::time::Instant::now();

    relay.stop().await;

    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn what_was_answered_200_outlives_a_relay_that_is_dropped() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let path = relay.tunnel("crm").await;
    for number in 1..=20 {
        assert_eq!(
            post(relay.address, &path, number.to_string()).await.status,
            200
        );
    }
    relay.abort().await;

    let relay = TestRelay::start(folder.path()).await;
    let events = relay.agent("crm").await.events(20).await;
    assert_eq!(events[19].request.body, "20");
    relay.stop().await;
}

#[tokio::test]
async fn a_data_folder_has_one_relay_at_a_time() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;

    let second = bind(folder.path(), |_| {}).await.map(drop);

    assert!(
        matches!(
            second,
            Err(StartError::Database(DatabaseError::Locked { .. }))
        ),
        "{second:?}"
    );
    relay.stop().await;
    assert!(
        bind(folder.path(), |_| {}).await.is_ok(),
        "it is free again"
    );
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let (folder, other) = (tempdir().unwrap(), tempdir().unwrap());
    let relay = TestRelay::start(folder.path()).await;
    let mut config = podtap_relay::RelayConfig::new(other.path());
    config.listen = relay.address;

    let error = podtap_relay::Relay::bind(config)
        .await
        .map(drop)
        .unwrap_err()
        .to_string();

    assert!(
        error.contains(&relay.address.to_string()) && error.contains("another program"),
        "{error}"
    );
    relay.stop().await;
}
