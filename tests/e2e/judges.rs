//! Tests the sandbox with the clients of Podio's API: each acts as the same developer and
//! must see what Podio would show. podio-js runs itself. podio-rb, podio-php and pypodio2
//! are not available from the registries here, so scripts make the same requests.
//!
//! Need node with `npm ci --prefix tests/node`, ruby, php and python3. If one
//! is missing, its test prints that it is skipped, or fails if `CI` is `true`.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Stage, node, script};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Runs a script with its own sandbox; returns the JSON lines that it printed.
async fn judge(program: &str, folder: &str, args: &[&str]) -> Vec<Value> {
    let stage = Stage::new();
    let sandbox = stage.start(&["sandbox", "--json", "--listen", "127.0.0.1:0"]);
    let ready = sandbox.object("ready", |_| true).await;
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let environment = [
        (
            "API_URL",
            text("podio_url").trim_end_matches('/').to_owned(),
        ),
        ("CLIENT_ID", text("client_id")),
        ("CLIENT_SECRET", text("client_secret")),
        ("APP_ID", ready["app_id"].to_string()),
        ("APP_TOKEN", text("app_token")),
    ];
    let folder = Path::new(TESTS).join(folder);
    let mut judge = script::run(program, &folder, args, &environment);
    let status = judge.wait_for_end().await;
    assert!(status.success(), "{:?}\n{}", judge.stdout(), judge.stderr());
    let lines = judge.stdout();
    let parsed = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    parsed.collect()
}

/// Returns what a client with all operations sees.
fn whole_flow() -> Vec<Value> {
    vec![
        json!({ "step": "login", "app": "app", "code": "user", "password": "user", "refresh": "user" }),
        json!({ "step": "wrong password", "status": 400, "error": "invalid_grant" }),
        json!({ "step": "expired token", "mail": "ada@example.com", "refreshed": true }),
        json!({ "step": "hook", "created": ["inactive"], "wrong": 400, "validated": ["active"], "left": [], "again": 404 }),
        json!({ "step": "item", "basic": "Desk", "quiet": 1, "stale": 409, "title": "Oak desk", "gone": 404, "reverted": 3 }),
        json!({ "step": "revisions", "numbers": [0, 1, 2, 3], "changed": ["status"] }),
        json!({ "step": "date", "start": "2026-11-23 14:30:00", "day": "2026-11-23", "time": "14:30:00", "end": null }),
        json!({ "step": "filter", "found": 1, "title": "Desk" }),
        json!({ "step": "comment", "values": ["Done"], "one": true, "left": [] }),
        json!({ "step": "task", "updated": "Ring", "for": "Björn Lind", "status": "completed", "listed": 1, "labels": ["phone", "today"], "total": 0 }),
        json!({ "step": "file", "name": "a b.pdf", "size": 8, "raw": true, "linked": true }),
        json!({ "step": "places", "user": "ada@example.com", "profile": "Ada Holm", "spaces": 1, "apps": 2, "members": ["Björn Lind", "Chidi Okafor"], "contacts": 3 }),
        json!({ "step": "app", "label": "Oil", "left": 404, "forms": ["disabled", "active"] }),
        json!({ "step": "tags", "tags": ["b", "c"], "counted": [{ "text": "c", "count": 1 }] }),
        json!({ "step": "found", "number": true, "external": true, "count": 4, "references": [true], "deleted": 1, "batches": [] }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn podio_rb_finds_the_sandbox_as_it_would_podio() {
    if script::available("ruby", None, "ruby is needed") {
        assert_eq!(judge("ruby", "ruby", &["judge.rb"]).await, whole_flow());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn podio_php_finds_the_sandbox_as_it_would_podio() {
    if script::available("php", None, "php (Debian: php-cli) is needed") {
        assert_eq!(judge("php", "php", &["judge.php"]).await, whole_flow());
    }
}

/// This client refreshes tokens only by itself, and reports a refused login by its status.
#[tokio::test(flavor = "multi_thread")]
async fn podio_js_finds_the_sandbox_as_it_would_podio() {
    if !node::is_installed("podio-js") {
        return;
    }
    let mut expected = whole_flow();
    expected[0].as_object_mut().unwrap().remove("refresh");
    expected[1].as_object_mut().unwrap().remove("error");
    assert_eq!(judge("node", "node", &["judge.js"]).await, expected);
}

/// This client has fewer operations, and some that the others do not have.
#[tokio::test(flavor = "multi_thread")]
async fn pypodio2_finds_the_sandbox_as_it_would_podio() {
    if !script::available("python3", None, "python3 is needed") {
        return;
    }
    assert_eq!(
        judge("python3", "python", &["-B", "pypodio2.py"]).await,
        [
            json!({ "step": "login", "app": "app", "password": "user" }),
            json!({ "step": "wrong password", "status": 400, "error": "invalid_grant" }),
            json!({ "step": "hook", "created": ["inactive"], "wrong": 400, "validated": ["active"], "left": [], "again": 404 }),
            json!({ "step": "item", "basic": "Desk", "quiet": 1, "stale": 409, "value": "Desk" }),
            json!({ "step": "revisions", "numbers": [0, 1], "changed": ["status"] }),
            json!({ "step": "date", "start": "2026-11-23 14:30:00", "day": "2026-11-23", "time": "14:30:00", "end": null }),
            json!({ "step": "filter", "found": 1, "title": "Desk", "external": true }),
            json!({ "step": "view", "name": "Paid", "found": 1 }),
            json!({ "step": "task", "completed": ["Call"], "left": [] }),
            json!({ "step": "file", "name": "a b.pdf", "raw": true, "linked": true, "copied": true }),
            json!({ "step": "places", "user": "ada@example.com", "space": true, "apps": 3, "status": "Hello", "contact": true }),
            json!({ "step": "stream", "newest": true, "ref": "Desk", "personal": "status", "searched": 1 }),
            json!({ "step": "app", "off": "deactivated", "label": "Colour", "gone": 404 }),
        ]
    );
}
