//! Every event type of the catalogue, caused by a call of the API.

use http::Method;
use podtap_podio::sandbox::{Config, HookTypes};
use podtap_podio::{EventKind, EventType, RefType};
use serde_json::{Value, json};

use crate::support::{ORDERS, Receiver, Running, SPACE};

#[tokio::test]
async fn every_event_type_really_fires_with_the_parameters_of_the_catalogue() {
    let sandbox = Running::start(Config {
        hook_types: HookTypes::AsDocumented,
        ..Config::default()
    })
    .await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    for (ref_type, ref_id) in [(RefType::App, ORDERS), (RefType::Space, SPACE)] {
        for event in EventType::on(ref_type) {
            receiver.active_hook(&client, ref_type, ref_id, event).await;
        }
    }

    let mut missing: Vec<_> = EventType::ALL.to_vec();
    missing.retain(|event| *event != EventType::HookVerify);
    for (method, path, body) in everything(&sandbox).await {
        let (status, answer) = sandbox.call(method.clone(), &path, &body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        let event = receiver.next().await.event;
        let EventKind::Known(kind) = event.kind else {
            panic!("{:?}", event.kind)
        };
        missing.retain(|event| *event != kind);
        for parameter in kind.spec().parameters {
            let given = event.param(parameter.name).is_some();
            assert!(given || parameter.optional, "{kind}: {}", parameter.name);
        }
    }
    assert_eq!(missing, []);
    assert!(receiver.nothing_more());
}

/// Calls that cause one event each, every type once at least.
async fn everything(sandbox: &Running) -> Vec<(Method, String, Value)> {
    let create = async |path: &str, body: Value, id: &str| {
        let (_, answer) = sandbox.call(Method::POST, path, &body).await;
        answer[id].as_u64().unwrap()
    };
    let quiet = format!("/item/app/{ORDERS}/?hook=false");
    let item = create(&quiet, json!({ "fields": { "title": "x" } }), "item_id").await;
    let path = format!("/comment/item/{item}/?hook=false");
    let comment = create(&path, json!({ "value": "hello" }), "comment_id").await;
    let path = format!("/task/space/{SPACE}/?hook=false");
    let task = create(&path, json!({ "text": "do" }), "task_id").await;
    let file = create("/file/", json!({ "filename": "a.pdf" }), "file_id").await;
    let mut calls = on_items(item, comment, file);
    calls.extend(on_spaces(task));
    calls.extend(on_apps());
    calls
}

/// The ids that forms, status posts and contacts get, in the order of their creation.
const FORM: u64 = 20_781_146;
const STATUS: u64 = FORM + 1;
const CONTACT: u64 = FORM + 2;

fn on_items(item: u64, comment: u64, file: u64) -> Vec<(Method, String, Value)> {
    let item_path = format!("/item/{item}");
    let attach = json!({ "ref_type": "item", "ref_id": item });
    vec![
        (
            Method::POST,
            format!("/item/app/{ORDERS}/"),
            json!({ "fields": {}, "external_id": "e" }),
        ),
        (
            Method::PUT,
            item_path.clone(),
            json!({ "fields": { "title": "y" } }),
        ),
        (
            Method::POST,
            format!("/comment{item_path}/"),
            json!({ "value": "x" }),
        ),
        (Method::DELETE, format!("/comment/{comment}"), json!({})),
        (Method::POST, format!("/file/{file}/attach"), attach),
        (Method::POST, format!("/tag{item_path}/"), json!(["urgent"])),
        (
            Method::DELETE,
            format!("/tag{item_path}/?text=urgent"),
            json!({}),
        ),
        (Method::DELETE, item_path, json!({})),
    ]
}

fn on_spaces(task: u64) -> Vec<(Method, String, Value)> {
    let value = json!({ "value": "x" });
    let name = json!({ "name": "Eve" });
    let members = json!({ "users": [8_123_457] });
    vec![
        (Method::POST, format!("/form/app/{ORDERS}/"), json!({})),
        (Method::PUT, format!("/form/{FORM}"), json!({})),
        (Method::DELETE, format!("/form/{FORM}"), json!({})),
        (
            Method::POST,
            format!("/status/space/{SPACE}/"),
            value.clone(),
        ),
        (Method::PUT, format!("/status/{STATUS}"), value),
        (Method::DELETE, format!("/status/{STATUS}"), json!({})),
        (
            Method::POST,
            format!("/contact/space/{SPACE}/"),
            name.clone(),
        ),
        (Method::PUT, format!("/contact/{CONTACT}"), name),
        (Method::DELETE, format!("/contact/{CONTACT}"), json!({})),
        (Method::POST, format!("/space/{SPACE}/member/"), members),
        (
            Method::DELETE,
            format!("/space/{SPACE}/member/8123457"),
            json!({}),
        ),
        (
            Method::POST,
            format!("/task/space/{SPACE}/"),
            json!({ "text": "do" }),
        ),
        (Method::POST, format!("/task/{task}/complete"), json!({})),
        (Method::DELETE, format!("/task/{task}"), json!({})),
    ]
}

fn on_apps() -> Vec<(Method, String, Value)> {
    let new = json!({
        "space_id": SPACE,
        "config": { "name": "New" },
        "fields": [{ "type": "text", "config": { "label": "Title" } }],
    });
    let renamed = json!({ "config": { "name": "Old" } });
    vec![
        (Method::POST, "/app/".to_owned(), new),
        (Method::PUT, format!("/app/{ORDERS}"), renamed),
        (Method::DELETE, format!("/app/{ORDERS}"), json!({})),
    ]
}
