//! Calls of the API that cause every event type between them. Also read by the end-to-end tests of
//! the workspace.

use http::Method;
use serde_json::{Value, json};

/// Ids of the example seed.
pub const ORDERS: u64 = 30_682_880;
pub const SPACE: u64 = 9_204_815;

/// Method, path and body.
pub type ApiCall = (Method, String, Value);

/// Calls that cause one event each, every type but `hook.verify` once at least. What they need is
/// made first, by `call` and without an event.
pub async fn everything(call: impl AsyncFn(Method, &str, &Value) -> (u16, Value)) -> Vec<ApiCall> {
    let create = async |path: &str, body: Value, id: &str| {
        let (_, answer) = call(Method::POST, path, &body).await;
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

fn on_items(item: u64, comment: u64, file: u64) -> Vec<ApiCall> {
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

fn on_spaces(task: u64) -> Vec<ApiCall> {
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

fn on_apps() -> Vec<ApiCall> {
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
