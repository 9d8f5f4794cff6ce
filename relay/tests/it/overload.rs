//! Tests too many, too slow or silent senders: they are refused or cut off, and others are
//! not affected (invariant 5).

use std::time::Duration;

use podtap_relay::Rate;
use tempfile::tempdir;
use tokio::time::{Instant, timeout};

use crate::support::http::{Connection, post};
use crate::support::{TestRelay, eventually, within};

const SHORT: Duration = Duration::from_millis(200);

/// Starts a relay with short time limits.
async fn impatient(folder: &std::path::Path) -> TestRelay {
    TestRelay::start_with(folder, |limits| {
        limits.head_timeout = SHORT;
        limits.body_timeout = SHORT;
        limits.idle_timeout = SHORT;
    })
    .await
}

#[tokio::test]
async fn silent_connections_are_closed() {
    let folder = tempdir().unwrap();
    let relay = impatient(folder.path()).await;

    for (what, bytes) in [
        ("nothing sent", ""),
        ("half an HTTP/2 preface", "PRI * HTTP/2.0\r\n"),
        ("half a head", "POST /x HTTP/1.1\r\nHost: "),
        (
            "an idle HTTP/2 connection",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        ),
    ] {
        let started = Instant::now();
        let mut connection = Connection::open(relay.address).await;
        connection.send(bytes).await;
        connection.read_until_closed().await;
        let took = started.elapsed();
        assert!(took >= SHORT && took < SHORT * 20, "{what}: {took:?}");
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off() {
    let folder = tempdir().unwrap();
    let relay = impatient(folder.path()).await;
    let mut connection = Connection::open(relay.address).await;
    let started = Instant::now();

    while started.elapsed() < SHORT * 4 {
        connection.try_send("X").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert!(connection.read_until_closed().await.is_empty());
    relay.stop().await;
}

#[tokio::test]
async fn an_idle_kept_alive_connection_is_closed() {
    let folder = tempdir().unwrap();
    let relay = impatient(folder.path()).await;
    let path = relay.tunnel("crm").await;
    let mut connection = Connection::open(relay.address).await;
    connection
        .send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
        .await;
    assert_eq!(connection.reply("GET").await.status, 200);

    assert!(connection.read_until_closed().await.is_empty());
    relay.stop().await;
}

#[tokio::test]
async fn an_announced_body_that_never_comes_is_a_408() {
    let folder = tempdir().unwrap();
    let relay = impatient(folder.path()).await;
    let path = relay.tunnel("crm").await;
    let mut connection = Connection::open(relay.address).await;

    connection
        .send(format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf"
        ))
        .await;

    assert_eq!(connection.reply("POST").await.status, 408);
    assert!(connection.read_until_closed().await.is_empty());
    relay.stop().await;
}

#[tokio::test]
async fn a_full_queue_is_refused_until_there_is_room() {
    let relay = TestRelay::with(|limits| {
        limits.max_queue_events = 3;
        limits.max_queue_bytes = 100_000;
    })
    .await;
    let path = relay.tunnel("crm").await;
    let other = relay.tunnel("other").await;
    for _ in 0..3 {
        assert_eq!(post(relay.address, &path, "x").await.status, 200);
    }

    let refused = post(relay.address, &path, "x").await;

    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert!(refused.text().contains("full"), "{refused:?}");
    let too_many_bytes = post(relay.address, &other, vec![b'x'; 100_000]).await;
    assert_eq!(too_many_bytes.status, 503);
    assert_eq!(
        post(relay.address, &other, "x").await.status,
        200,
        "each tunnel has its own"
    );
    let mut agent = relay.agent("crm").await;
    let events = agent.events(3).await;
    agent.ack(events[2].seq).await;
    eventually("room", async || {
        post(relay.address, &path, "x").await.status == 200
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_tunnel_over_its_rate_is_told_when_to_come_back() {
    let relay = TestRelay::with(|limits| {
        limits.max_rate = Some(Rate {
            per_second: 0.1,
            burst: 2.0,
        });
    })
    .await;
    let path = relay.tunnel("crm").await;
    for _ in 0..2 {
        assert_eq!(post(relay.address, &path, "x").await.status, 200);
    }

    let refused = post(relay.address, &path, "x").await;

    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("10"));
    relay.stop().await;
}

#[tokio::test]
async fn below_the_floor_of_free_space_nothing_is_accepted_but_agents_are_served() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let path = relay.tunnel("crm").await;
    assert_eq!(post(relay.address, &path, "x").await.status, 200);
    relay.stop().await;
    let relay =
        TestRelay::start_with(folder.path(), |limits| limits.min_free_bytes = u64::MAX).await;

    let refused = post(relay.address, &path, "x").await;

    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("disk"), "{refused:?}");
    let ready = crate::support::http::get(relay.address, "/-/readyz").await;
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.text().contains("disk"), "{ready:?}");
    let mut agent = relay.agent("crm").await;
    let event = agent.event().await;
    agent.ack(event.seq).await;
    agent.leave().await;
    assert_eq!(
        relay.agent("crm").await.welcome.backlog,
        0,
        "acknowledgements are possible"
    );
    relay.stop().await;
}

#[tokio::test]
async fn bodies_in_flight_are_bounded_together() {
    let relay = TestRelay::with(|limits| limits.max_inflight_bytes = 5000).await;
    let path = relay.tunnel("crm").await;
    let begin = async || {
        let mut slow = Connection::open(relay.address).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 4001\r\n\r\n");
        slow.send(head).await;
        slow.send(vec![b'x'; 4000]).await;
        slow
    };
    let mut slow = begin().await;
    within("the budget to be used up", async {
        while post(relay.address, &path, vec![b'y'; 2000]).await.status != 503 {
            // It may have arrived while the other request was in progress, and found no room.
            let refused = timeout(Duration::from_millis(10), slow.reply("POST"));
            if refused.await.is_ok() {
                slow = begin().await;
            }
        }
    })
    .await;

    slow.send("x").await;
    assert_eq!(slow.reply("POST").await.status, 200);
    assert_eq!(
        post(relay.address, &path, vec![b'y'; 2000]).await.status,
        200
    );
    relay.stop().await;
}
