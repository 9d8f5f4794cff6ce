//! `podtap mcp`: a coding assistant reads the history, and closes the loop.

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

use crate::hooks::{APP, Podio};
use crate::support::{Process, Service, Stage, command, form_post, pause};
use client::Client;

/// The server for the tunnel `crm`, without credentials.
fn server(stage: &Stage, more: &[&str]) -> Command {
    command(stage, &[&["mcp", "--name", "crm"], more].concat())
}

/// The whole day of an assistant: change an item, see the handler fail, mend it, see it pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_awaited_its_failure_read_and_the_mended_handler_replayed() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let status = Arc::new(AtomicU16::new(500));
    let answers = Arc::clone(&status);
    let handler = Service::answering(move |_| {
        let status = answers.load(Ordering::Relaxed);
        let body = if status == 200 {
            "ok"
        } else {
            "KeyError: 'title'\n  at handler.py:12"
        };
        let answer = http::Response::builder().status(status);
        answer.body(Full::from(body)).unwrap()
    })
    .await;
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let (target, url) = (handler.address().to_string(), relay.url());
    let listen = [
        "listen",
        &target,
        "--relay",
        &url,
        "--name",
        "crm",
        "--json",
        "--app",
        APP,
        "--on",
        "item.update",
        "--forward-verify",
        "false",
    ];
    let mut listen = podio.command(&stage, &listen);
    listen.env("PODTAP_TOKEN", &token);
    let agent = Process::spawn(listen);
    agent.object("verify", |verify| verify["ok"] == true).await;
    let mcp = podio.command(&stage, &["mcp", "--name", "crm", "--allow-write"]);
    let mut client = Client::begin(mcp).await;

    let fixed = ["sandbox", "do", "--json", "--podio-url", &podio.url];
    let by_hand = |args: &[&str]| {
        podio
            .objects(&stage, &[&fixed[..], args].concat())
            .remove(0)
    };
    let item = by_hand(&["item.create", "title=Chair"])["object"].clone();
    let item = item.as_str().unwrap().to_owned();
    by_hand(&["item.update", &item, "title=Table"]);

    let wait = json!({ "filter": format!("type:item.update item:{item}"), "delivered": true });
    let said = client.succeed("wait_for_event", wait).await;
    let id = said.captured()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(said.captured()[0]["status"], 500, "{}", said.text);
    let said = client.succeed("get_event", json!({ "id": id })).await;
    let event = said.captured().remove(0);
    assert_eq!(
        event["attempts"][0]["answer"]["text"],
        "KeyError: 'title'\n  at handler.py:12"
    );
    let said = client.succeed("explain_event", json!({ "id": id })).await;
    assert_eq!(
        said.captured()[0]["changes"][0]["to"],
        "Table",
        "{}",
        said.text
    );
    let said = client
        .succeed("why", json!({ "subject": format!("item:{item}") }))
        .await;
    assert_eq!(said.words(), "Cause: error-answer.", "{}", said.text);

    let replay = json!({ "id": id });
    let said = client.succeed("replay_event", replay.clone()).await;
    assert!(
        said.words().contains("answered 500, failed"),
        "{}",
        said.text
    );
    status.store(200, Ordering::Relaxed);
    let said = client.succeed("replay_event", replay).await;
    assert!(
        said.words().contains("answered 200, passed"),
        "{}",
        said.text
    );
    let said = client
        .succeed("list_events", json!({ "filter": format!("item:{item}") }))
        .await;
    assert_eq!(said.captured()[0]["status"], 200, "{}", said.text);
    assert_eq!(said.captured()[0]["attempts"], 3, "{}", said.text);
    let trigger = json!({ "event": "item.delete", "params": { "item_id": item } });
    let said = client.succeed("trigger_event", trigger).await;
    assert!(said.words().contains("answered 200"), "{}", said.text);
    let bodies = handler.received();
    let bodies = bodies
        .iter()
        .map(|received| String::from_utf8_lossy(&received.body));
    assert!(bodies.last().unwrap().contains("type=item.delete"));

    let said = client.succeed("list_hooks", json!({})).await;
    let hook = &said.captured()[0];
    assert_eq!(
        (&hook["status"], &hook["url_verdict"]),
        (&json!("active"), &json!("this tunnel"))
    );
    // Of the agent in the other process it is told once a second.
    let mut said = client.succeed("link_state", json!({})).await;
    for _ in 0..600 {
        if said.captured()[0]["service"] == "up" {
            break;
        }
        pause(Duration::from_millis(100)).await;
        said = client.succeed("link_state", json!({})).await;
    }
    assert!(
        said.words().contains("connected to the relay"),
        "{}",
        said.text
    );
    assert_eq!(said.captured()[0]["service"], "up", "{}", said.text);
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
    let waits = client.begin_call("wait_for_event", json!({ "timeout_seconds": 300 }));

    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.update&item_id=1&item_revision_id=3").await;
    let said = client.said(waits).await;
    assert_eq!(said.words(), "The event arrived.", "{}", said.text);
    let said = client.succeed("list_events", json!({})).await;
    assert_eq!(said.captured()[0]["object"], "item 1", "{}", said.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_and_cover_the_history_once() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    for item in 1..=25 {
        form_post(&url, format!("type=item.create&item_id={item}").as_bytes()).await;
    }
    stage.settled(&[], 25);
    let mut client = Client::begin(server(&stage, &[])).await;
    let (mut before, mut objects) = (None, Vec::new());
    loop {
        let page = json!({ "limit": 10, "before": before });
        let rows = client.succeed("list_events", page).await.captured();
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
