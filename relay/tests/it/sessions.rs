//! Tests agents: accepted or refused, served in order, acknowledged, replaced and dismissed.

use std::time::Duration;

use bytes::Bytes;
use podtap_wire::{Notice, RefusalKind, RelayFrame, Respond, Seq, WebhookResponse};
use tempfile::tempdir;
use tokio_tungstenite::tungstenite::Message;

use crate::support::agent::{Farewell, open, refusal};
use crate::support::http::{get, post, request};
use crate::support::{Agent, TestRelay, eventually, within};

fn farewell(notice: Notice, code: u16) -> Farewell {
    Farewell {
        notice: Some(notice),
        code: Some(code),
    }
}

async fn post_numbers(relay: &TestRelay, path: &str, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert_eq!(
            post(relay.address, path, number.to_string()).await.status,
            200
        );
    }
}

fn bodies(events: &[podtap_wire::EventFrame]) -> Vec<String> {
    events
        .iter()
        .map(|event| String::from_utf8_lossy(&event.request.body).into_owned())
        .collect()
}

#[tokio::test]
async fn a_backlog_comes_first_then_what_is_live_in_order_and_within_the_window() {
    let relay = TestRelay::new().await;
    let path = relay.tunnel("crm").await;
    post_numbers(&relay, &path, 1..6).await;

    let mut agent =
        Agent::connect_with(relay.address, &relay.token, "crm", |hello| hello.window = 2).await;

    assert_eq!(agent.welcome.backlog, 5);
    assert_eq!(agent.welcome.limits.window, 2);
    assert_eq!(bodies(&agent.events(2).await), ["1", "2"]);
    assert!(agent.is_quiet().await, "the window is closed");
    agent.ack(Seq(1)).await;
    assert_eq!(bodies(&agent.events(1).await), ["3"]);
    agent.ack(Seq(3)).await;
    assert_eq!(bodies(&agent.events(2).await), ["4", "5"]);
    agent.ack(Seq(5)).await;
    post_numbers(&relay, &path, 6..7).await;
    assert_eq!(bodies(&agent.events(1).await), ["6"]);
    relay.stop().await;
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_and_numbers_are_never_used_twice() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    post_numbers(&relay, &path, 1..4).await;
    let first = agent.events(3).await;
    agent.ack(Seq(2)).await;
    agent.leave().await;
    relay.stop().await;

    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    assert_eq!(
        agent.path(),
        path,
        "the URL outlives the relay and the token"
    );
    assert_eq!(agent.events(1).await, first[2..]);
    agent.ack(Seq(3)).await;
    agent.leave().await;
    relay.stop().await;

    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    assert_eq!(agent.welcome.backlog, 0);
    post_numbers(&relay, &path, 4..5).await;
    assert_eq!(agent.event().await.seq, Seq(4));
    relay.stop().await;
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_never_sent_removes_nothing() {
    let relay = TestRelay::new().await;
    let path = relay.tunnel("crm").await;
    post_numbers(&relay, &path, 1..4).await;
    let mut agent =
        Agent::connect_with(relay.address, &relay.token, "crm", |hello| hello.window = 1).await;
    agent.event().await;

    agent.ack(Seq(99)).await;

    assert_eq!(bodies(&agent.events(1).await), ["2"]);
    agent.leave().await;
    assert_eq!(relay.agent("crm").await.welcome.backlog, 2);
    relay.stop().await;
}

#[tokio::test]
async fn a_newer_connection_takes_the_tunnel_over() {
    let relay = TestRelay::new().await;
    let mut older = relay.agent("crm").await;
    let mut other = relay.agent("other").await;

    let mut newer = relay.agent("crm").await;

    let told = older.farewell().await;
    assert!(
        matches!(told.notice, Some(Notice::TakenOver(_))),
        "{told:?}"
    );
    assert_eq!(told.code, Some(1008));
    assert!(other.is_quiet().await, "another tunnel is not affected");
    post_numbers(&relay, &newer.path(), 1..2).await;
    assert_eq!(newer.event().await.seq, Seq(1));
    relay.stop().await;
}

#[tokio::test]
async fn who_may_not_in_is_told_why() {
    let relay = TestRelay::new().await;
    let (known, secret) = relay.token.split_at("pt_aaaaaa".len());
    let unknown = format!("pt_aaaaaa{secret}");
    let forged = format!("{known}{}", "A".repeat(43));

    for token in ["", "pt_", "nonsense", &unknown, &forged] {
        let (status, reason) = refusal(relay.address, token, "podtap.v1").await;
        assert_eq!((status, reason.kind), (401, RefusalKind::Token), "{token}");
    }
    let (status, reason) = refusal(relay.address, &relay.token, "podtap.v9").await;
    assert_eq!((status, reason.kind), (400, RefusalKind::Version));
    assert!(reason.message.contains("podtap.v1"), "{}", reason.message);
    let plain = get(relay.address, "/-/connect").await;
    assert_eq!(plain.status, 400);
    assert!(plain.text().contains("\"malformed\""), "{plain:?}");
    relay.stop().await;
}

#[tokio::test]
async fn an_agent_without_a_proper_hello_is_closed_and_takes_nobody_over() {
    let relay = TestRelay::with(|limits| {
        limits.hello_timeout = Duration::from_millis(300);
    })
    .await;
    let mut holder = relay.agent("crm").await;

    for first in [
        None,
        Some(Message::text("{\"type\":\"ack\",\"through\":1}")),
        Some(Message::text("not JSON")),
        Some(Message::text(
            "{\"type\":\"hello\",\"client\":\"x\",\"tunnel\":\"../x\",\"window\":1}",
        )),
        Some(Message::binary(Bytes::from_static(b"\xff\xff\xff\xff"))),
    ] {
        let mut socket = open(relay.address, &relay.token, "podtap.v1")
            .await
            .unwrap();
        if let Some(first) = first {
            futures_util::SinkExt::send(&mut socket, first)
                .await
                .unwrap();
        }
        let answer = within("a close", futures_util::StreamExt::next(&mut socket)).await;
        match answer {
            Some(Ok(Message::Close(Some(close)))) => assert_eq!(u16::from(close.code), 1002),
            other => panic!("expected a close, got {other:?}"),
        }
    }
    assert!(holder.is_quiet().await);
    relay.stop().await;
}

#[tokio::test]
async fn a_revoked_token_ends_its_sessions_at_once_and_others_go_on() {
    let relay = TestRelay::new().await;
    let first_id = relay.store.list().await.unwrap()[0].id.clone();
    let second = relay.store.create("ada").await.unwrap();
    let mut revoked = relay.agent("crm").await;
    let mut other = Agent::connect(relay.address, second.reveal(), "second").await;
    let path = revoked.path();

    assert_eq!(
        relay.store.revoke(&first_id, false).await.unwrap().tokens,
        1
    );

    assert_eq!(revoked.farewell().await, farewell(Notice::Revoked, 1008));
    let (status, _) = refusal(relay.address, &relay.token, "podtap.v1").await;
    assert_eq!(status, 401);
    assert!(other.is_quiet().await);
    assert_eq!(post(relay.address, &path, "kept").await.status, 200);
    let mut back = Agent::connect(relay.address, second.reveal(), "crm").await;
    assert_eq!(
        back.path(),
        path,
        "the tunnel is the owner's, not the token's"
    );
    assert_eq!(back.event().await.request.body, "kept");
    relay.stop().await;
}

#[tokio::test]
async fn a_rotated_tunnel_has_a_new_url_and_a_deleted_one_none() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let old = agent.path();
    post_numbers(&relay, &old, 1..2).await;
    let name = "crm".parse().unwrap();

    let rotated = relay.store.rotate("ada", &name, Duration::ZERO);
    let key = rotated.await.unwrap().unwrap().key;

    let come_back = Notice::Draining {
        come_back_after_ms: 0,
    };
    assert_eq!(agent.farewell().await, farewell(come_back.clone(), 1012));
    assert_eq!(post(relay.address, &old, "x").await.status, 404);
    let mut agent = relay.agent("crm").await;
    assert_eq!(agent.path(), format!("/{key}"));
    assert_eq!(agent.event().await.seq, Seq(1), "what waited still does");
    assert_eq!(
        relay.store.tunnels(Some("ada")).await.unwrap()[0].backlog,
        1
    );

    assert!(relay.store.delete("ada", &name).await.unwrap());

    assert_eq!(agent.farewell().await, farewell(come_back, 1012));
    assert_eq!(
        post(relay.address, &format!("/{key}"), "x").await.status,
        404
    );
    assert!(relay.store.tunnels(Some("ada")).await.unwrap().is_empty());
    assert_ne!(relay.agent("crm").await.path(), format!("/{key}"));
    relay.stop().await;
}

#[tokio::test]
async fn tunnels_are_apart_by_owner_and_name() {
    let relay = TestRelay::new().await;
    let bob = relay.store.create("bob").await.unwrap();
    let mut adas = relay.agent("crm").await;
    let mut bobs = Agent::connect(relay.address, bob.reveal(), "crm").await;

    post_numbers(&relay, &bobs.path(), 7..8).await;

    assert_eq!(bodies(&bobs.events(1).await), ["7"]);
    assert!(adas.is_quiet().await);
    relay.stop().await;
}

#[tokio::test]
async fn under_respond_local_the_sender_gets_the_local_services_answer() {
    let relay = TestRelay::new().await;
    let mut agent = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.respond = Respond::Local;
    })
    .await;
    let path = agent.path();
    let (address, sender_path) = (relay.address, path.clone());
    let mut senders = tokio::task::JoinSet::new();
    senders.spawn(async move { request(address, "PUT", &sender_path, "", b"question").await });
    let event = agent.event().await;

    agent.ack(event.seq).await;
    let response = WebhookResponse {
        status: 418,
        headers: [
            ("x-tea", "yes"),
            ("connection", "close"),
            ("content-length", "99"),
        ]
        .into_iter()
        .collect(),
        body: Bytes::from_static(b"\xffteapot"),
    };
    agent.respond(event.seq, response).await;

    let reply = senders.join_next().await.unwrap().unwrap();
    assert_eq!((reply.status, &reply.body[..]), (418, &b"\xffteapot"[..]));
    assert_eq!(reply.header("x-tea"), Some("yes"));
    assert_eq!(reply.header("connection"), None);
    relay.stop().await;
}

#[tokio::test]
async fn without_an_answer_in_time_the_sender_gets_the_stored_200() {
    let relay = TestRelay::with(|limits| {
        limits.respond_timeout = Duration::from_millis(50);
    })
    .await;
    let mut agent = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.respond = Respond::Local;
    })
    .await;

    let reply = post(relay.address, &agent.path(), "x").await;

    assert_eq!((reply.status, reply.text().trim()), (200, "stored"));
    assert_eq!(agent.event().await.seq, Seq(1));
    relay.stop().await;
}

#[tokio::test]
async fn what_became_too_old_is_told_as_a_gap_until_an_agent_is_past_it() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start_with(folder.path(), |limits| {
        limits.max_age = Duration::from_secs(1);
    })
    .await;
    let path = relay.tunnel("crm").await;
    post_numbers(&relay, &path, 1..4).await;
    eventually("the queue to be empty", async || {
        relay.metric("podtap_queue_events").await == 0
    })
    .await;
    relay.stop().await;

    let relay = TestRelay::start(folder.path()).await;
    for _ in 0..2 {
        let mut agent = relay.agent("crm").await;
        match agent.frame().await {
            Some(RelayFrame::Notice(Notice::Gap { from, to, .. })) => {
                assert_eq!((from, to), (Seq(1), Seq(3)));
            }
            other => panic!("expected a gap, got {other:?}"),
        }
        agent.leave().await;
    }
    let mut agent = relay.agent("crm").await;
    agent.frame().await;
    post_numbers(&relay, &path, 4..5).await;
    assert_eq!(agent.event().await.seq, Seq(4));
    agent.ack(Seq(4)).await;
    agent.leave().await;
    assert!(
        relay.agent("crm").await.is_quiet().await,
        "the gap is not told again"
    );
    relay.stop().await;
}
