//! Tests how much one owner's agents may use, and which of two agents keeps a tunnel that
//! both want.

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use podtap_wire::{Notice, RefusalKind, Respond, Seq};
use tempfile::tempdir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::agent::{Farewell, open, refusal, try_connect};
use crate::support::http::post;
use crate::support::{Agent, TestRelay, within};

#[tokio::test]
async fn an_owner_has_so_many_agents_and_tunnels_and_others_are_let_in() {
    let relay = TestRelay::with(|limits| {
        limits.max_owner_sessions = 2;
        limits.max_owner_tunnels = 3;
    })
    .await;
    let bob = relay.store.create("bob").await.unwrap();
    let (first, second) = (relay.agent("one").await, relay.agent("two").await);

    let (status, refused) = refusal(relay.address, &relay.token, "podtap.v1").await;
    assert_eq!((status, refused.kind), (503, RefusalKind::Unavailable));
    assert!(refused.message.contains("owner"), "{}", refused.message);
    Agent::connect(relay.address, bob.reveal(), "one")
        .await
        .leave()
        .await;

    first.leave().await;
    second.leave().await;
    relay.agent("three").await.leave().await;
    let farewell = try_connect(relay.address, &relay.token, "four", |_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(&farewell.notice, Some(Notice::Limit { message }) if message.contains("tunnels")),
        "{farewell:?}"
    );
    relay.agent("one").await.leave().await;
    relay.stop().await;
}

#[tokio::test]
async fn an_owners_queues_are_full_together() {
    let relay = TestRelay::with(|limits| limits.max_owner_queue_events = 2).await;
    let bob = relay.store.create("bob").await.unwrap();
    let bobs = Agent::connect(relay.address, bob.reveal(), "crm")
        .await
        .path();
    let (one, two) = (relay.tunnel("one").await, relay.tunnel("two").await);
    for path in [&one, &two] {
        assert_eq!(post(relay.address, path, "x").await.status, 200);
    }
    let reply = post(relay.address, &one, "x").await;
    assert_eq!(reply.status, 503);
    assert!(reply.text().contains("owner") && reply.header("retry-after").is_some());
    assert_eq!(post(relay.address, &bobs, "x").await.status, 200);
    relay.stop().await;
}

/// Opens a websocket, and sends a hello if one is given.
async fn raw(
    relay: &TestRelay,
    hello: Option<&str>,
) -> tokio_tungstenite::WebSocketStream<tokio::net::TcpStream> {
    let mut socket = open(relay.address, &relay.token, "podtap.v1")
        .await
        .unwrap();
    if let Some(respond) = hello {
        let hello = format!(
            r#"{{"type":"hello","client":"x","tunnel":"crm","window":9,"respond":"{respond}"}}"#
        );
        socket.send(Message::text(hello)).await.unwrap();
        within("a welcome", socket.next()).await.unwrap().unwrap();
    }
    socket
}

#[tokio::test]
async fn a_message_is_small_unless_it_is_an_answer() {
    let relay = TestRelay::new().await;
    let large = || Message::text("x".repeat(24 * 1024));
    for hello in [None, Some("stored")] {
        let mut socket = raw(&relay, hello).await;
        let _ = socket.send(large()).await;
        let closed = within("a close", async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(close))) => return close.map(|close| close.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        })
        .await;
        assert!(
            matches!(closed, Some(1002_u16) | None),
            "{hello:?} {closed:?}"
        );
    }
    let mut agent = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.respond = Respond::Local;
    })
    .await;
    // Larger than a known frame, but within the limit: an unknown frame is skipped.
    let frame = format!(r#"{{"type":"sunrise","text":"{}"}}"#, "x".repeat(24 * 1024));
    agent.raw(Message::text(frame)).await;
    assert!(agent.is_quiet().await);
    relay.stop().await;
}

#[tokio::test]
async fn a_large_event_comes_in_frames_and_a_session_ends_between_messages() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let body: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    assert_eq!(post(relay.address, &agent.path(), &body).await.status, 200);

    let event = agent.event().await;

    assert!(event.request.body[..] == body[..]);
    agent.ack(event.seq).await;
    // The session ends while another event is being sent, and the agent still understands the
    // last notice.
    let path = agent.path();
    assert_eq!(post(relay.address, &path, &body).await.status, 200);
    let newer = relay.agent("crm").await;
    let farewell = agent.farewell().await;
    assert!(
        matches!(farewell.notice, Some(Notice::TakenOver(_))),
        "{farewell:?}"
    );
    newer.leave().await;
    relay.stop().await;
}

#[tokio::test]
async fn a_message_without_an_end_and_pings_amid_it_hold_little() {
    let relay = TestRelay::with(|limits| {
        limits.max_response_bytes = 64 * 1024;
        limits.max_session_memory = 3 * 1024 * 1024;
    })
    .await;
    let mut socket = raw(&relay, Some("local")).await;
    let part = || Bytes::from(vec![b'x'; 16 * 1024]);
    let first = Frame::message(part(), OpCode::Data(Data::Binary), false);
    socket.send(Message::Frame(first)).await.unwrap();
    // The limit is 2 MiB of head and 64 KiB of body.
    let sent = within("the relay to refuse it", async {
        for number in 1..1000_usize {
            let next = Frame::message(part(), OpCode::Data(Data::Continue), false);
            let sent = async {
                socket.send(Message::Frame(next)).await?;
                socket.send(Message::Ping(Bytes::new())).await
            };
            if sent.await.is_err() {
                return number * 16 * 1024;
            }
        }
        usize::MAX
    })
    .await;
    assert!(sent < 12 * 1024 * 1024, "{sent}");
    relay.stop().await;
}

fn holder(farewell: &Farewell) -> Option<&str> {
    match &farewell.notice {
        Some(Notice::TakenOver(holder)) => holder.host.as_deref(),
        _ => None,
    }
}

#[tokio::test]
async fn an_agent_that_comes_back_late_loses_against_a_live_newer_one() {
    let relay = TestRelay::new().await;
    let older = relay.agent("crm").await;
    let epoch = older.welcome.epoch;
    older.leave().await;
    let mut newer = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.host = Some("newer".to_owned());
    })
    .await;
    assert!(newer.welcome.epoch > epoch);

    let back = try_connect(relay.address, &relay.token, "crm", |hello| {
        hello.epoch = Some(epoch);
    });
    // The newer agent answers pings by reading.
    let back = tokio::select! {
        back = back => back,
        () = newer.read_on() => panic!("the newer one was sent away"),
    };

    let farewell = back.unwrap_err();
    assert_eq!(holder(&farewell), Some("newer"), "{farewell:?}");
    assert!(newer.is_quiet().await);
    // An agent may always reconnect with its own epoch.
    let own = newer.welcome.epoch;
    let mut again = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.epoch = Some(own);
    })
    .await;
    assert_eq!(again.welcome.epoch, own);
    assert!(again.is_quiet().await);
    relay.stop().await;
}

#[tokio::test]
async fn an_agent_that_comes_back_takes_over_from_a_dead_one() {
    let relay = TestRelay::new().await;
    let older = relay.agent("crm").await;
    let epoch = older.welcome.epoch;
    older.leave().await;
    // This agent neither reads nor sends anything, like a sleeping machine.
    let _dead = relay.agent("crm").await;

    let mut back = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.epoch = Some(epoch);
    })
    .await;

    assert_eq!(back.welcome.epoch, epoch);
    assert_eq!(post(relay.address, &back.path(), "x").await.status, 200);
    assert_eq!(back.event().await.seq, Seq(1));
    relay.stop().await;
}

#[tokio::test]
async fn epochs_outlive_the_relay() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let older = relay.agent("crm").await.welcome.epoch;
    let newer = relay.agent("crm").await.welcome.epoch;
    relay.stop().await;

    let relay = TestRelay::start(folder.path()).await;
    let come_back = |epoch| {
        Agent::connect_with(relay.address, &relay.token, "crm", move |hello| {
            hello.epoch = Some(epoch);
        })
    };
    let mut first = come_back(older).await;
    let _second = come_back(newer).await;
    assert!(matches!(
        first.farewell().await.notice,
        Some(Notice::TakenOver(_))
    ));
    let unknown = come_back(99).await;
    assert_eq!(unknown.welcome.epoch, newer + 1, "this relay never gave it");
    relay.stop().await;
}
