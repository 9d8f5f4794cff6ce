//! Tests how webhooks are sent: repeated after some failures, stopped after many, and
//! caused by simulated people.

use std::collections::HashSet;
use std::time::Duration;

use podtap_podio::client::{HookStatus, WriteOptions};
use podtap_podio::standing::{Rule, Threshold};
use podtap_podio::{EventKind, EventType, RefType};
use podtap_sandbox::life::{self, LifePace};
use podtap_sandbox::{SandboxConfig, SendOutcome};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{Receiver, RunningSandbox, SOON, next_sent};
use podtap_testing::calls::ORDERS;

#[tokio::test]
async fn a_5xx_is_sent_again_and_a_4xx_is_not() {
    let sandbox = RunningSandbox::with(|config| {
        config.delivery.retry_gaps = vec![Duration::from_millis(10); 3];
    })
    .await;
    let (client, receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::ItemCreate)
        .await;
    let mut observations = sandbox.handle.subscribe();
    let mut attempts = async |count: u32| {
        let mut outcomes = Vec::new();
        for attempt in 1..=count {
            let sent = next_sent(&mut observations, EventType::ItemCreate).await;
            assert_eq!(sent.attempt, attempt);
            outcomes.push(sent.outcome);
        }
        outcomes
    };
    let options = WriteOptions::default();
    let fields = json!({ "title": "x" });

    receiver.answer(500);
    client.create_item(ORDERS, &fields, options).await.unwrap();
    assert_eq!(attempts(4).await, vec![SendOutcome::Answered(500); 4]);
    receiver.answer(403);
    client.create_item(ORDERS, &fields, options).await.unwrap();
    assert_eq!(attempts(1).await, [SendOutcome::Answered(403)]);
    receiver.answer(200);
    client.create_item(ORDERS, &fields, options).await.unwrap();
    assert_eq!(attempts(1).await, [SendOutcome::Answered(200)]);
}

#[tokio::test]
async fn failures_disable_a_hook_until_it_is_verified_again() {
    let limit = |failures| Threshold {
        failures,
        within: Duration::from_mins(15),
    };
    let sandbox = RunningSandbox::with(|config| {
        config.rule = Rule::Windows {
            suspend: limit(100),
            pause: Duration::from_mins(15),
            disable: limit(3),
        };
    })
    .await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    let hook_id = receiver
        .active_hook(&client, RefType::App, ORDERS, EventType::ItemCreate)
        .await;
    let options = WriteOptions::default();
    let fields = json!({ "title": "x" });
    let status = async || client.hooks(RefType::App, ORDERS).await.unwrap()[0].status;
    let mut observations = sandbox.handle.subscribe();

    receiver.answer(404);
    for _ in 0..3 {
        client.create_item(ORDERS, &fields, options).await.unwrap();
        receiver.next().await;
        next_sent(&mut observations, EventType::ItemCreate).await;
    }
    assert_eq!(status().await, HookStatus::Inactive);
    client.create_item(ORDERS, &fields, options).await.unwrap();

    receiver.answer(200);
    client.request_hook_verification(hook_id).await.unwrap();
    let verify = receiver.next().await.event;
    assert_eq!(verify.kind, EventKind::Known(EventType::HookVerify));
    let code = verify.code().unwrap();
    client.validate_hook(hook_id, code).await.unwrap();
    assert_eq!(status().await, HookStatus::Active);
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up_and_called_again() {
    let sandbox = RunningSandbox::with(|config| {
        config.delivery.timeout = Duration::from_millis(500);
        config.delivery.retry_gaps = vec![Duration::from_millis(10)];
    })
    .await;
    let (client, receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::ItemCreate)
        .await;
    let mut observations = sandbox.handle.subscribe();

    receiver.hang();
    let fields = json!({ "title": "x" });
    let options = WriteOptions::default();
    client.create_item(ORDERS, &fields, options).await.unwrap();

    for attempt in 1..=2 {
        let sent = next_sent(&mut observations, EventType::ItemCreate).await;
        assert_eq!(
            (sent.attempt, sent.outcome),
            (attempt, SendOutcome::TimedOut)
        );
    }
}

#[tokio::test]
async fn duplicates_arrive_more_than_once_with_the_same_revision() {
    let sandbox = RunningSandbox::with(|config| {
        config.delivery.disorder.duplicates = 1.0;
    })
    .await;
    let (client, mut receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::ItemCreate)
        .await;
    let fields = json!({ "title": "x" });
    let options = WriteOptions::default();
    let item_id = client.create_item(ORDERS, &fields, options).await.unwrap();

    let mut copies = Vec::new();
    while copies.len() < 2 {
        let event = receiver.next().await.event;
        if event.kind == EventKind::Known(EventType::ItemCreate) {
            copies.push((event.id("item_id"), event.revision()));
        }
    }
    assert_eq!(copies, [(Some(item_id), Some(0)); 2]);
}

/// Waits for each answer before the next event, even on a busy machine.
fn patient(config: &mut SandboxConfig) {
    config.delivery.head_start = SOON;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_of_concurrent_changes_arrive_in_the_order_of_their_revisions() {
    let sandbox = RunningSandbox::with(patient).await;
    let (client, mut receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::ItemUpdate)
        .await;
    let options = WriteOptions::default();
    let fields = json!({ "title": "x" });
    let item_id = client.create_item(ORDERS, &fields, options).await.unwrap();

    let mut writers = JoinSet::new();
    for _ in 0..100 {
        let (client, fields) = (client.clone(), fields.clone());
        writers.spawn(async move {
            client
                .update_item(item_id, &fields, None, options)
                .await
                .unwrap();
        });
    }
    writers.join_all().await;

    for revision in 1..=100 {
        assert_eq!(receiver.next().await.event.revision(), Some(revision));
    }
}

#[tokio::test]
async fn life_makes_varied_events_by_itself_in_the_order_of_their_revisions() {
    let sandbox = RunningSandbox::with(patient).await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    for event in EventType::on(RefType::App) {
        receiver
            .active_hook(&client, RefType::App, ORDERS, event)
            .await;
    }
    let pace = LifePace {
        per_second: 500.0,
        random_seed: 7,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(life::run(
        sandbox.handle.clone(),
        pace,
        CancellationToken::new(),
    ));

    let mut kinds = HashSet::new();
    let mut revisions = std::collections::HashMap::new();
    for _ in 0..200 {
        let event = receiver.next().await.event;
        if let Some(revision) = event.revision() {
            let before = revisions.insert(event.id("item_id"), revision);
            assert!(before.is_none_or(|before| before < revision), "{event:?}");
        }
        kinds.insert(event.kind);
    }
    assert!(kinds.len() >= 5, "{kinds:?}");
}
