//! A Python client of Podio's API tests the sandbox.
//!
//! Needs python3 and `pip install --target tests/python/packages -r tests/python/requirements.txt`.
//! Without them, the test prints that it is skipped, or fails if `CI` is `true`.

use std::path::Path;

use serde_json::{Value, json};

use crate::hooks::APP;
use crate::support::{Stage, script};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_finds_the_sandbox_as_it_would_podio() {
    let folder = Path::new(FOLDER);
    let packages = folder.join("packages");
    let missing = "python3 and `pip install --target tests/python/packages -r tests/python/requirements.txt` \
         are needed";
    if !script::available("python3", Some(&packages.join("podio")), missing) {
        return;
    }
    let stage = Stage::new();
    let sandbox = stage.start(&["sandbox", "--json", "--listen", "127.0.0.1:0"]);
    let ready = sandbox.object("ready", |_| true).await;
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let environment = [
        ("API_URL", text("podio_url")),
        ("CLIENT_ID", text("client_id")),
        ("CLIENT_SECRET", text("client_secret")),
        ("APP_ID", APP.to_owned()),
        ("PYTHONPATH", packages.display().to_string()),
    ];

    let mut judge = script::run("python3", folder, &["-B", "judge.py"], &environment);
    let status = judge.wait_for_end().await;

    assert!(status.success(), "{:?}\n{}", judge.stdout(), judge.stderr());
    let steps = judge.stdout();
    let steps: Vec<Value> = steps
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            json!({ "step": "login", "user": "ada@example.com" }),
            json!({ "step": "place", "members": ["Ada Holm", "Björn Lind", "Chidi Okafor"], "due": "date" }),
            json!({ "step": "item", "title": "Desk", "due": "2026-11-23 14:30:00", "via": "Podtap" }),
            json!({ "step": "task", "labels": ["phone"] }),
            json!({ "step": "hook", "status": "inactive", "wrong": "invalid_value", "unknown": "invalid_value" }),
        ]
    );
}
