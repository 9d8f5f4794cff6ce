//! `podtap mcp`: a coding assistant reads the history and sends events again.

mod client;
mod end;
mod inspector;
mod untrusted;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http_body_util::Full;
use serde_json::json;

use crate::hooks::Podio;
use crate::support::{Process, Relay, Service, Stage, command, form_post, pause};
use client::Client;

/// Returns the server's command for the tunnel `crm`, without credentials.
fn server(stage: &Stage, more: &[&str]) -> Command {
    command(stage, &[&["mcp", "--name", "crm"], more].concat())
}

/// Starts a handler that fails until it is fixed.
async fn handler(status: &Arc<AtomicU16>) -> Service {
    let status = Arc::clone(status);
    Service::answering(move |_| {
        let status = status.load(Ordering::Relaxed);
        let body = if status == 200 { "ok" } else { FAULT };
        let answer = http::Response::builder().status(status);
        answer.body(Full::from(body)).unwrap()
    })
    .await
}

const FAULT: &str = "KeyError: 'title'\n  at handler.py:12";

/// Starts an agent with an active hook for changed items.
async fn agent(stage: &Stage, podio: &Podio, way: (&Service, &Relay)) -> Process {
    let on = ["--on", "item.update", "--forward-verify", "false"];
    let agent = Process::spawn(podio.listen(stage, way, &on));
    agent.object("verify", |verify| verify["ok"] == true).await;
    agent
}

/// Creates and changes an item in the sandbox; returns its id.
fn changed_item(stage: &Stage, podio: &Podio) -> String {
    let by_hand = |args: &[&str]| {
        let fixed = ["sandbox", "do", "--json", "--podio-url", &podio.url];
        let done = podio.objects(stage, &[&fixed[..], args].concat());
        done[0]["object"].as_str().unwrap_or_default().to_owned()
    };
    let item = by_hand(&["item.create", "title=Chair"]);
    by_hand(&["item.update", &item, "title=Table"]);
    item
}

/// The work of an assistant: change an item, see the handler fail, fix it, see it succeed.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_awaited_its_failure_read_and_the_mended_handler_replayed() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let status = Arc::new(AtomicU16::new(500));
    let (handler, relay) = (handler(&status).await, stage.relay().await);
    let _agent = agent(&stage, &podio, (&handler, &relay)).await;
    let mcp = podio.command(&stage, &["mcp", "--name", "crm", "--allow-write"]);
    let mut client = Client::begin(mcp).await;
    let item = changed_item(&stage, &podio);

    let wait = json!({ "filter": format!("type:item.update item:{item}"), "delivered": true });
    let said = client.succeed("wait_for_event", wait).await;
    let id = said.captured_objects()[0]["id"].clone();
    assert_eq!(said.captured_objects()[0]["status"], 500, "{}", said.text);
    let this = json!({ "id": id });
    let said = client.succeed("get_event", this.clone()).await;
    let answer = &said.captured_objects()[0]["attempts"][0]["answer"];
    assert_eq!(answer["text"], FAULT);
    let said = client.succeed("explain_event", this.clone()).await;
    let change = &said.captured_objects()[0]["changes"][0];
    assert_eq!(change["to"], "Table", "{}", said.text);
    let about = json!({ "subject": format!("item:{item}") });
    let said = client.succeed("why", about).await;
    assert_eq!(said.words(), "Cause: error-answer.", "{}", said.text);

    for (answered, words) in [(500, "answered 500, failed"), (200, "answered 200, passed")] {
        status.store(answered, Ordering::Relaxed);
        let said = client.succeed("replay_event", this.clone()).await;
        assert!(said.words().contains(words), "{}", said.text);
    }
    let of_item = json!({ "filter": format!("item:{item}") });
    let said = client.succeed("list_events", of_item).await;
    let row = said.captured_objects().remove(0);
    assert_eq!((&row["status"], &row["attempts"]), (&200.into(), &3.into()));
    assert_eq!(
        row["state"],
        serde_json::Value::Null,
        "it waits for nothing"
    );
    let trigger = json!({ "event": "item.delete", "params": { "item_id": item } });
    let said = client.succeed("trigger_event", trigger).await;
    assert!(said.words().contains("answered 200"), "{}", said.text);
    let last = handler.requests().pop().unwrap();
    assert!(String::from_utf8_lossy(&last.body).contains("type=item.delete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_and_the_link_are_told_as_they_are() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let (service, relay) = (Service::start().await, stage.relay().await);
    let _agent = agent(&stage, &podio, (&service, &relay)).await;
    changed_item(&stage, &podio);
    service.wait_for(1).await;
    let mut client = Client::begin(podio.command(&stage, &["mcp", "--name", "crm"])).await;

    let said = client.succeed("list_hooks", json!({})).await;
    let hook = said.captured_objects().remove(0);
    assert_eq!(hook["status"], "active");
    assert_eq!(hook["url_verdict"], "this tunnel");
    // The state of an agent in another process is read once per second.
    let mut said = client.succeed("link_state", json!({})).await;
    for _ in 0..600 {
        if said.captured_objects()[0]["service"] == "up" {
            break;
        }
        pause(Duration::from_millis(100)).await;
        said = client.succeed("link_state", json!({})).await;
    }
    let is_connected = said.words().contains("connected to the relay");
    assert!(is_connected, "{}", said.text);
    assert_eq!(said.captured_objects()[0]["service"], "up", "{}", said.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_begins_before_there_is_a_history_and_finds_it_later() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let mut client = Client::begin(server(&stage, &[])).await;
    let said = client.call("list_events", json!({})).await;
    assert!(said.is_error, "{}", said.text);
    assert!(
        said.text.contains("the tunnel crm has no history yet"),
        "{}",
        said.text
    );
    let waits = client.begin_call("wait_for_event", &json!({ "timeout_seconds": 300 }));

    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.update&item_id=1&item_revision_id=3").await;
    let said = client.wait_for_reply(waits).await;
    assert_eq!(said.words(), "The event arrived.", "{}", said.text);
    let said = client.succeed("list_events", json!({})).await;
    assert_eq!(
        said.captured_objects()[0]["object"],
        "item 1",
        "{}",
        said.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_and_cover_the_history_once() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    for item in 1..=25 {
        form_post(&url, format!("type=item.create&item_id={item}").as_bytes()).await;
    }
    stage.wait_until_settled(&[], 25);
    let mut client = Client::begin(server(&stage, &[])).await;
    let (mut before, mut objects) = (None, Vec::new());
    loop {
        let page = json!({ "limit": 10, "before": before });
        let rows = client.succeed("list_events", page).await.captured_objects();
        let Some(last) = rows.last() else { break };
        before = last["position"].as_i64();
        objects.extend(
            rows.iter()
                .map(|row| row["object"].as_str().unwrap().to_owned()),
        );
    }
    let expected: Vec<String> = (1..=25).rev().map(|item| format!("item {item}")).collect();
    assert_eq!(objects, expected);
}
