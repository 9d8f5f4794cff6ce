//! Tests `respond: local`: the sender gets the local service's answer, and nothing is stored. If
//! the relay answers by itself, the event is stored first and keeps its id (invariants 1, 2 and 4).

use std::time::Duration;

use podtap_relay::Limits;
use podtap_wire::{EventFrame, EventId, HeaderList, Hello, Respond, Seq, WebhookResponse};
use tempfile::tempdir;
use tokio::task::JoinSet;

use crate::support::http::{Connection, Reply, post};
use crate::support::{Agent, TestRelay, within};

fn local(hello: &mut Hello) {
    hello.respond = Respond::Local;
    hello.pass_through = true;
}

async fn agent(relay: &TestRelay) -> Agent {
    Agent::connect_with(relay.address, &relay.token, "crm", local).await
}

fn answer(status: u16) -> WebhookResponse {
    WebhookResponse {
        status,
        headers: HeaderList::default(),
        body: "said the local service".into(),
    }
}

/// Sets a time limit that no test reaches, so the relay does not answer by itself.
fn patient(limits: &mut Limits) {
    limits.respond_timeout = Duration::from_hours(1);
}

/// Senders whose bodies are numbers.
#[derive(Default)]
struct Senders(JoinSet<(u64, Reply)>);

impl Senders {
    fn send(&mut self, relay: &TestRelay, path: &str, number: u64) {
        let (address, path) = (relay.address, path.to_owned());
        self.0.spawn(async move {
            let body = number.to_string();
            (number, post(address, &path, body).await)
        });
    }

    async fn reply(&mut self) -> (u64, u16, String) {
        let (number, reply) = within("an answer", self.0.join_next())
            .await
            .unwrap()
            .unwrap();
        (number, reply.status, reply.text().trim().to_owned())
    }

    async fn receive_stored(&mut self) -> u64 {
        let (number, status, words) = self.reply().await;
        assert_eq!((status, words.as_str()), (200, "stored"), "{number}");
        number
    }
}

fn ids(events: &[EventFrame]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn a_request_that_is_answered_in_time_is_not_stored() {
    let relay = TestRelay::with(patient).await;
    let mut agent = agent(&relay).await;
    let path = agent.path();
    let mut senders = Senders::default();
    let commits = relay.metric("podtap_commit_events_count").await;
    for number in 0..20 {
        senders.send(&relay, &path, number);
        let held = agent.receive_held().await;
        assert_eq!(held.request.body, number.to_string());
        agent.respond_held(held.id, answer(418)).await;
        let words = "said the local service".to_owned();
        assert_eq!(senders.reply().await, (number, 418, words));
    }

    assert_eq!(relay.metric("podtap_commit_events_count").await, commits);
    assert_eq!(relay.metric("podtap_events_accepted_total").await, 0);
    assert_eq!(relay.metric("podtap_events_passed_total").await, 20);
    assert_eq!(relay.metric("podtap_queue_events").await, 0);
    agent.leave().await;
    assert_eq!(relay.agent("crm").await.welcome.backlog, 0);
    relay.stop().await;
}

#[tokio::test]
async fn an_agent_that_does_not_ask_for_it_gets_what_is_stored() {
    let relay = TestRelay::with(patient).await;
    for change in [
        (|hello| hello.respond = Respond::Local) as fn(&mut Hello),
        |hello| hello.pass_through = true,
    ] {
        let mut agent = Agent::connect_with(relay.address, &relay.token, "crm", change).await;
        let mut senders = Senders::default();
        senders.send(&relay, &agent.path(), 1);
        let event = agent.event().await;
        agent.ack(event.seq).await;
        agent.respond(event.seq, answer(418)).await;
        let (_, status, _) = senders.reply().await;
        assert!([200, 418].contains(&status), "{status}");
        agent.leave().await;
    }
    assert_eq!(relay.metric("podtap_events_passed_total").await, 0);
    assert_eq!(relay.metric("podtap_events_accepted_total").await, 2);
    relay.stop().await;
}

#[tokio::test]
async fn without_an_answer_in_time_the_event_is_stored_under_its_id() {
    let relay = TestRelay::with(|limits| {
        limits.respond_timeout = Duration::from_millis(50);
    })
    .await;
    let mut agent = agent(&relay).await;
    let path = agent.path();
    let mut senders = Senders::default();
    senders.send(&relay, &path, 1);
    let held = agent.receive_held().await;

    assert_eq!(senders.receive_stored().await, 1);

    // The late answer is dropped, and the event is sent once more.
    agent.respond_held(held.id, answer(418)).await;
    let event = agent.event().await;
    assert_eq!((event.seq, event.id), (Seq(1), held.id));
    assert_eq!(event.request, held.request);
    agent.ack(Seq(1)).await;
    assert!(agent.is_quiet().await);
    relay.stop().await;
}

/// Tests each way in which a session ends while requests wait, and the agent that gets the
/// events then.
#[tokio::test]
async fn what_is_not_answered_when_the_link_is_lost_is_stored_in_order() {
    for way in [
        "leaves",
        "is cut off",
        "is taken over",
        "says what it must not",
    ] {
        let relay = TestRelay::with(patient).await;
        let mut first = agent(&relay).await;
        let path = first.path();
        let mut senders = Senders::default();
        let mut held = Vec::new();
        for number in 0..8 {
            senders.send(&relay, &path, number);
            held.push(first.receive_held().await.id);
        }
        first.respond_held(held.remove(3), answer(418)).await;
        assert_eq!(senders.reply().await.0, 3);

        let second = match way {
            "leaves" => {
                first.leave().await;
                None
            }
            "is cut off" => {
                drop(first);
                None
            }
            "is taken over" => Some(agent(&relay).await),
            _ => {
                let nonsense = tokio_tungstenite::tungstenite::Message::text("{");
                first.raw(nonsense).await;
                None
            }
        };

        let mut stored = Vec::new();
        for _ in 0..7 {
            stored.push(senders.receive_stored().await);
        }
        stored.sort_unstable();
        assert_eq!(stored, [0, 1, 2, 4, 5, 6, 7], "{way}");
        let mut second = match second {
            Some(second) => second,
            None => agent(&relay).await,
        };
        assert_eq!(ids(&second.events(7).await), held, "{way}");
        assert!(second.is_quiet().await);
        relay.stop().await;
    }
}

#[tokio::test]
async fn a_relay_that_shuts_down_stores_what_waits() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start_with(folder.path(), patient).await;
    let mut agent = agent(&relay).await;
    let path = agent.path();
    let mut senders = Senders::default();
    senders.send(&relay, &path, 1);
    let held = agent.receive_held().await;
    relay.begin_shutdown();

    assert_eq!(senders.receive_stored().await, 1);
    agent.farewell().await;
    relay.stop().await;
    let relay = TestRelay::start(folder.path()).await;
    assert_eq!(relay.agent("crm").await.event().await.id, held.id);
    relay.stop().await;
}

#[tokio::test]
async fn a_sender_that_hangs_up_was_promised_nothing() {
    let relay = TestRelay::with(patient).await;
    let mut agent = agent(&relay).await;
    let path = agent.path();
    let mut sender = Connection::open(relay.address).await;
    let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
    sender.send(head).await;
    let held = agent.receive_held().await;
    drop(sender);
    agent.respond_held(held.id, answer(200)).await;
    let mut senders = Senders::default();
    senders.send(&relay, &path, 2);
    let next = agent.receive_held().await;
    agent.respond_held(next.id, answer(202)).await;
    assert_eq!(senders.reply().await.1, 202);
    agent.leave().await;
    assert_eq!(relay.agent("crm").await.welcome.backlog, 0);
    relay.stop().await;
}

#[tokio::test]
async fn an_agent_without_room_costs_no_sender_its_answer() {
    let relay = TestRelay::with(patient).await;
    let mut agent = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        local(hello);
        hello.window = 2;
    })
    .await;
    let path = agent.path();
    let mut senders = Senders::default();
    let mut held = Vec::new();
    for number in 0..2 {
        senders.send(&relay, &path, number);
        held.push(agent.receive_held().await.id);
    }
    // The window is full of requests, then of events.
    for number in 2..4 {
        senders.send(&relay, &path, number);
        assert_eq!(senders.receive_stored().await, number);
        assert_eq!(agent.event().await.request.body, number.to_string());
    }
    for id in held {
        agent.respond_held(id, answer(418)).await;
        assert_eq!(senders.reply().await.1, 418);
    }
    senders.send(&relay, &path, 4);
    assert_eq!(senders.receive_stored().await, 4);

    agent.ack(Seq(2)).await;
    assert_eq!(agent.event().await.seq, Seq(3));
    agent.ack(Seq(3)).await;
    senders.send(&relay, &path, 5);
    let held = agent.receive_held().await;
    agent.respond_held(held.id, answer(418)).await;
    assert_eq!(senders.reply().await.1, 418);
    relay.stop().await;
}

#[tokio::test]
async fn a_request_does_not_overtake_what_waits() {
    let relay = TestRelay::with(|limits| {
        patient(limits);
        limits.max_queue_events = 1_000;
    })
    .await;
    let path = relay.tunnel("crm").await;
    let mut senders = Senders::default();
    for number in 0..40 {
        senders.send(&relay, &path, number);
        senders.receive_stored().await;
    }
    let mut agent = agent(&relay).await;
    senders.send(&relay, &path, 40);

    // The request waited for the events, or was stored after them.
    let events = agent.events(40).await;
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event.request.body, number.to_string());
    }
    agent.ack(Seq(40)).await;
    let id = agent.receive_held().await.id;
    agent.respond_held(id, answer(418)).await;
    assert_eq!(senders.reply().await.1, 418);
    relay.stop().await;
}

#[tokio::test]
async fn where_memory_is_full_a_request_is_refused_and_may_come_again() {
    let relay = TestRelay::with(|limits| {
        patient(limits);
        limits.max_body_bytes = 100_000;
        limits.max_inflight_bytes = 200_000;
    })
    .await;
    let mut agent = agent(&relay).await;
    let path = agent.path();
    let large = vec![b'x'; 90_000];
    let mut first = JoinSet::new();
    let (address, to, body) = (relay.address, path.clone(), large.clone());
    first.spawn(async move { post(address, &to, body).await });
    let held = agent.receive_held().await;

    let refused = post(relay.address, &path, &large).await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());

    agent.respond_held(held.id, answer(202)).await;
    assert_eq!(first.join_next().await.unwrap().unwrap().status, 202);
    let mut second = JoinSet::new();
    let (address, to) = (relay.address, path.clone());
    second.spawn(async move { post(address, &to, large).await });
    let held = agent.receive_held().await;
    agent.respond_held(held.id, answer(203)).await;
    assert_eq!(second.join_next().await.unwrap().unwrap().status, 203);
    relay.stop().await;
}

#[tokio::test]
async fn a_full_queue_refuses_only_what_the_relay_would_have_to_store() {
    let relay = TestRelay::with(|limits| {
        limits.respond_timeout = Duration::from_millis(50);
        limits.max_queue_events = 1;
    })
    .await;
    let mut agent = agent(&relay).await;
    let path = agent.path();
    let mut senders = Senders::default();
    senders.send(&relay, &path, 1);
    agent.receive_held().await;
    assert_eq!(senders.receive_stored().await, 1);
    assert_eq!(agent.event().await.seq, Seq(1));

    senders.send(&relay, &path, 2);
    agent.receive_held().await;
    assert_eq!(senders.reply().await.1, 503, "it cannot be stored");
    assert_eq!(relay.metric("podtap_events_accepted_total").await, 1);
    relay.stop().await;
}
