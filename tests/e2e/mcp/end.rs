//! How a server ends, and what happens to calls that are still running.

use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::server;
use crate::support::{Service, Stage, eventually, form_post, pause};

const LONG: u64 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_input_ends_a_wait_and_the_server() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.update&item_id=1&item_revision_id=3").await;
    stage.wait_until_settled(&[], 1);
    let mut client = Client::begin(server(&stage, &[])).await;
    client.begin_call(
        "wait_for_event",
        &json!({ "filter": "item:2", "timeout_seconds": LONG }),
    );
    // Calls that can be answered at once are answered, though no more input arrives.
    let looks = client.begin_call("wait_for_event", &json!({ "filter": "item:1" }));
    let lists = client.begin_call("list_events", &json!({}));
    client.hang_up();

    let status = client.process.wait_for_end().await;
    assert!(status.success(), "{}", client.process.stderr());
    assert_eq!(
        client.wait_for_reply(lists).await.captured_objects().len(),
        1
    );
    assert_eq!(
        client.wait_for_reply(looks).await.captured_objects().len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_server_that_waits() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let _way = stage.way_to(&service, &[]).await;
    let mut client = Client::begin(server(&stage, &[])).await;
    client.begin_call("wait_for_event", &json!({ "timeout_seconds": LONG }));
    client.process.terminate();
    let status = client.process.wait_for_end().await;
    assert_eq!(status.code(), Some(143), "{}", client.process.stderr());
    client.messages();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_bounded_and_one_that_is_cancelled_makes_room() {
    let stage = Stage::new();
    let mut client = Client::begin(server(&stage, &[])).await;
    let wait = json!({ "timeout_seconds": LONG });
    let begun: Vec<u64> = (0..17)
        .map(|_| client.begin_call("wait_for_event", &wait))
        .collect();
    // The calls start in parallel, so it may be any of them.
    let answered = || {
        let messages = client.messages().into_iter();
        let mut ids = messages.filter_map(|message| message["id"].as_u64());
        ids.find(|id| begun.contains(id))
    };
    let state = || client.process.stderr();
    let refused = eventually("a refusal", answered, state).await;
    let said = client.wait_for_reply(refused).await;
    assert!(
        said.is_error && said.text.contains("16 calls are under way"),
        "{}",
        said.text
    );
    let waits: Vec<u64> = begun.into_iter().filter(|id| *id != refused).collect();

    client.send(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": waits[3], "reason": "the person has stopped it" },
    }));
    for _ in 0..3_000 {
        let said = client.call("list_events", json!({})).await;
        if said.text.contains("no history yet") {
            break;
        }
        assert!(said.text.contains("are under way"), "{}", said.text);
        pause(Duration::from_millis(20)).await;
    }
    let said = client.call("list_events", json!({})).await;
    assert!(said.text.contains("no history yet"), "{}", said.text);
    let answered = client.messages().into_iter();
    let ids = answered.filter_map(|message| message["id"].as_u64());
    let ids: Vec<u64> = ids.filter(|id| waits.contains(id)).collect();
    assert!(
        ids.is_empty(),
        "a cancelled call has no answer, others wait: {ids:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_message_or_too_long_costs_only_itself() {
    let stage = Stage::new();
    let mut client = Client::begin(server(&stage, &[])).await;
    client.send_raw(
        &[
            vec![b'x'; 3 * 1024 * 1024],
            b"\n{\"not\": \"a message\"}\n[]\n".to_vec(),
        ]
        .concat(),
    );
    let said = client.call("list_events", json!({})).await;
    assert!(said.text.contains("no history yet"), "{}", said.text);
    assert!(
        client.process.peak_mib() < 200,
        "{}",
        client.process.peak_mib()
    );
    client.hang_up();
    let status = client.process.wait_for_end().await;
    assert!(status.success(), "{}", client.process.stderr());
}
