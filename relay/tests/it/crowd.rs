//! Tests more connections than there are places for: quiet connections make room, and none
//! has to wait (invariant 5).

use std::net::SocketAddr;

use podtap_relay::Limits;
use podtap_wire::RefusalKind;

use crate::support::http::{Connection, Reply, post};
use crate::support::{TestRelay, agent, eventually};

const HEALTH: &str = "GET /-/healthz HTTP/1.1\r\nHost: h\r\n\r\n";

fn webhook(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
}

/// Sends a webhook from a peer other than 127.0.0.1.
async fn post_from_another_address(address: SocketAddr, path: &str) -> Reply {
    let mut connection = Connection::open_from("127.0.0.2", address).await;
    connection.send(webhook(path)).await;
    connection.reply("POST").await
}

/// Starts a request that stays in progress: the relay has asked for its body, which is not sent.
async fn half_a_webhook(source: &str, address: SocketAddr, path: &str) -> Connection {
    let mut connection = Connection::open_from(source, address).await;
    let head = "Host: h\r\nContent-Length: 9\r\nExpect: 100-continue";
    let head = format!("POST {path} HTTP/1.1\r\n{head}\r\n\r\n");
    connection.send(head).await;
    assert_eq!(connection.reply("POST").await.status, 100);
    connection
}

fn few(limits: &mut Limits) {
    limits.max_connections = 8;
    limits.max_connections_per_peer = Some(8);
}

#[tokio::test]
async fn silent_and_kept_alive_connections_make_room_for_a_webhook() {
    for says in ["", "GET / HTTP/1.1\r\nX-Half: ", HEALTH] {
        let relay = TestRelay::with(few).await;
        let path = relay.tunnel("crm").await;
        let mut held = Vec::new();
        for _ in 0..20 {
            let mut connection = Connection::open(relay.address).await;
            connection.try_send(says).await;
            if says == HEALTH {
                assert_eq!(connection.reply("GET").await.status, 200);
            }
            held.push(connection);
        }

        for _ in 0..3 {
            let reply = post_from_another_address(relay.address, &path).await;
            assert_eq!(reply.status, 200, "{says:?}");
        }

        held[0].read_until_closed().await;
        drop(held);
        relay.stop().await;
    }
}

#[tokio::test]
async fn requests_in_progress_are_left_alone_and_one_more_is_told_to_come_back() {
    let relay = TestRelay::with(few).await;
    let path = relay.tunnel("crm").await;
    let mut busy = Vec::new();
    for _ in 0..8 {
        busy.push(half_a_webhook("127.0.0.1", relay.address, &path).await);
    }

    let refused = post_from_another_address(relay.address, &path).await;

    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(refused.text().contains("too many connections"));
    let last = busy.last_mut().unwrap();
    last.send("late-body").await;
    assert_eq!(last.reply("POST").await.status, 200);
    drop(busy);
    relay.stop().await;
}

#[tokio::test]
async fn one_address_cannot_have_all_connections() {
    let relay = TestRelay::with(|limits| {
        limits.max_connections = 9;
        limits.max_connections_per_peer = Some(3);
    })
    .await;
    let path = relay.tunnel("crm").await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(half_a_webhook("127.0.0.3", relay.address, &path).await);
    }

    let mut fourth = Connection::open_from("127.0.0.3", relay.address).await;
    fourth.send(webhook(&path)).await;
    assert_eq!(fourth.reply("POST").await.status, 503);
    let reply = post_from_another_address(relay.address, &path).await;
    assert_eq!(reply.status, 200);
    drop(busy);
    relay.stop().await;
}

#[tokio::test]
async fn agents_and_senders_do_not_crowd_each_other_out() {
    let relay = TestRelay::with(|limits| {
        few(limits);
        limits.max_sessions = 2;
    })
    .await;
    let (first, mut second) = (relay.agent("first").await, relay.agent("second").await);

    let (status, refusal) = agent::refusal(relay.address, &relay.token, "podtap.v1").await;
    assert_eq!((status, refusal.kind), (503, RefusalKind::Unavailable));
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(Connection::open(relay.address).await);
    }
    assert_eq!(post(relay.address, &second.path(), "x").await.status, 200);
    assert_eq!(second.event().await.request.body, "x");
    first.leave().await;
    eventually("a place for an agent", async || {
        agent::open(relay.address, &relay.token, "podtap.v1")
            .await
            .is_ok()
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_sender_that_closes_its_side_gets_its_answer_and_is_stored_once() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();

    for _ in 0..50 {
        let mut connection = Connection::open(relay.address).await;
        connection.send(webhook(&path)).await;
        connection.close_half().await;
        assert_eq!(connection.reply("POST").await.status, 200);
        assert!(connection.read_until_closed().await.is_empty());
    }

    let events = agent.events(50).await;
    assert_eq!(events[49].seq.0, 50);
    assert!(agent.is_quiet().await);
    relay.stop().await;
}
