//! Tests that Podio is asked who made a change before a loop or a gap is reported.

use crate::support::eventually;
use crate::support::podio::{ORDERS, PodioAgent, webhook_at};
use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::{Finding, LoopFinding, LoopShape, Maker};
use podtap_podio::client::{Client, HookStatus, WriteOptions};
use podtap_podio::{EventType, RefType};
use podtap_sandbox::{self as sandbox, Observation};
use serde_json::json;

const QUIETLY: WriteOptions = WriteOptions {
    hook: false,
    silent: false,
};

/// Starts an agent that breaks loops, with an item whose updates it receives.
async fn hearing() -> (PodioAgent, u64) {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.break_loops = true;
    })
    .await;
    let hook_id = running.hook().await;
    eventually("the hook is active", || async {
        let status = running.status(hook_id).await;
        (status == HookStatus::Active)
            .then_some(())
            .ok_or(format!("{status:?}"))
    })
    .await;
    let fields = json!({ "title": "A walnut desk", "status": "New" });
    let client = &running.podio.client;
    let item = client.create_item(ORDERS, &fields, QUIETLY).await.unwrap();
    (running, item)
}

async fn change(client: &Client, item: u64, options: WriteOptions) {
    let fields = json!({ "status": "Paid" });
    client
        .update_item(item, &fields, None, options)
        .await
        .unwrap();
}

async fn find_loop(running: &PodioAgent) -> LoopFinding {
    eventually("something is found", || async {
        let loops = running.agent.handle.history().loops().await.unwrap();
        loops.into_iter().next().ok_or(String::new())
    })
    .await
}

#[tokio::test]
async fn a_loop_of_our_own_client_is_told_with_its_maker_and_held() {
    let (running, item) = hearing().await;
    for _ in 0..10 {
        change(&running.podio.client, item, WriteOptions::default()).await;
    }

    let found = find_loop(&running).await;

    let Maker::Own { by } = &found.maker else {
        panic!("{found:#?}");
    };
    assert_eq!(by, "Ada Holm through Podtap");
    assert_eq!(running.agent.handle.held_objects(), [found.object]);
}

#[tokio::test]
async fn a_colleagues_script_is_told_by_its_name_and_not_held() {
    let (running, item) = hearing().await;
    let colleague = running.podio.colleague();
    for _ in 0..16 {
        change(&colleague, item, WriteOptions::default()).await;
    }

    let found = find_loop(&running).await;

    assert!(!found.is_suspected());
    let maker = found.maker.to_string();
    assert!(
        maker.contains("made by Björn Lind through Invoicing bridge"),
        "{maker}"
    );
    assert_eq!(running.agent.handle.held_objects(), []);
}

#[tokio::test]
async fn a_chain_of_new_items_is_found_and_named_by_its_cure() {
    let (running, _) = hearing().await;
    let begin = Timestamp::now() - SignedDuration::from_mins(1);
    let mut events = Vec::new();
    for number in 0..22_i32 {
        let fields = json!({ "title": format!("Order {number}") });
        let client = &running.podio.client;
        let item = client.create_item(ORDERS, &fields, QUIETLY).await.unwrap();
        let body = format!("type=item.create&item_id={item}&item_revision_id=0&hook_id=9");
        let at = begin + SignedDuration::from_secs(2) * number;
        events.push(webhook_at(at, body.into_bytes()));
    }
    running.podio.writer.append(events).await.unwrap();

    let found = find_loop(&running).await;

    assert_eq!((found.shape.clone(), found.hook_id), (LoopShape::Adds, 9));
    assert!(matches!(found.maker, Maker::Own { .. }), "{found:#?}");
    assert!(found.cure().contains("POST /item/app/APP_ID/?hook=false"));
}

/// Asserts that, once Podio was asked by this path, nothing is missing below the newest event.
async fn nothing_is_missing(
    running: &PodioAgent,
    mut calls: tokio::sync::broadcast::Receiver<Observation>,
    asked: &str,
) {
    loop {
        if let Observation::Call { path, .. } = calls.recv().await.unwrap()
            && path.starts_with(asked)
        {
            break;
        }
    }
    eventually("nothing is missing", || async {
        let newest = running.rows().await.into_iter().next().unwrap();
        let is_closed = newest.revision == Some(3) && newest.insight.missing == 0;
        is_closed.then_some(()).ok_or(format!("{newest:#?}"))
    })
    .await;
}

#[tokio::test]
async fn a_write_with_hook_false_leaves_nothing_missing() {
    let (running, item) = hearing().await;
    let (client, calls) = (
        running.podio.client.clone(),
        running.podio.handle.subscribe(),
    );
    change(&client, item, WriteOptions::default()).await;
    change(&client, item, QUIETLY).await;
    change(&client, item, WriteOptions::default()).await;

    nothing_is_missing(&running, calls, &format!("/item/{item}/revision/2")).await;
}

#[tokio::test]
async fn a_hook_on_a_field_is_not_expected_to_tell_of_every_revision() {
    let (running, item) = hearing().await;
    let client = running.podio.client.clone();
    for hook in client.hooks(RefType::App, ORDERS).await.unwrap() {
        client.delete_hook(hook.hook_id).await.unwrap();
    }
    let app = client.app(ORDERS).await.unwrap();
    let field = app
        .fields
        .iter()
        .find(|field| field.external_id == "status")
        .unwrap();
    let url = &running.podio.ingest;
    let hook = client.create_hook(
        RefType::AppField,
        field.field_id,
        url,
        EventType::ItemUpdate,
    );
    let hook = hook.await.unwrap();
    eventually("the hook is active", || async {
        let hooks = client
            .hooks(RefType::AppField, field.field_id)
            .await
            .unwrap();
        let active = hooks
            .iter()
            .any(|one| one.hook_id == hook && one.status == HookStatus::Active);
        active.then_some(()).ok_or(format!("{hooks:?}"))
    })
    .await;
    let (colleague, calls) = (running.podio.colleague(), running.podio.handle.subscribe());
    for fields in [
        json!({ "status": "Paid" }),
        json!({ "title": "Desk" }),
        json!({ "status": "New" }),
    ] {
        let options = WriteOptions::default();
        colleague
            .update_item(item, &fields, None, options)
            .await
            .unwrap();
    }

    nothing_is_missing(&running, calls, "/hook/app/").await;
}

/// The outcome of a verification is also available to those who read it later.
#[tokio::test]
async fn what_was_found_is_read_again_in_its_order() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let before = running.agent.handle.history().end().await.unwrap().finding;
    let hook_id = running.hook().await;
    eventually("the outcome is on record", || async {
        let history = running.agent.handle.history();
        let found = history.findings_after(before, 10).await.unwrap();
        match &found[..] {
            [
                (
                    _,
                    Finding::Verified {
                        hook_id: Some(id),
                        verification,
                        ..
                    },
                ),
            ] if *id == hook_id && verification.is_ok() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}
