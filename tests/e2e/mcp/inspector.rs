//! Tests the server with the protocol's official inspector, which lists the tools and calls them.
//!
//! Needs `node` and `npm ci --prefix tests/node`. Without them,
//! the test prints that it is skipped, or fails if `CI` is `true`.

use std::process::Output;

use serde_json::Value;

use crate::support::{Service, Stage, command, form_post, node};

const INSPECTOR: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/node/node_modules/.bin/mcp-inspector"
);

/// Lets the inspector start a server of this stage and send it a request.
fn inspect(stage: &Stage, server: &[&str], asks: &[&str]) -> Output {
    // The environment of `podtap` on this stage, which the inspector passes on.
    let podtap = command(stage, &[]);
    let mut inspector = std::process::Command::new("node");
    inspector.env_clear();
    for (name, value) in std::env::vars_os() {
        inspector.env(name, value);
    }
    for (name, value) in podtap.get_envs() {
        match value {
            Some(value) => inspector.env(name, value),
            None => inspector.env_remove(name),
        };
    }
    let mut args = vec![INSPECTOR, "--cli"];
    let environment: Vec<String> = podtap
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    for pair in &environment {
        args.extend(["-e", pair]);
    }
    args.extend([env!("CARGO_BIN_EXE_podtap"), "mcp", "--name", "crm"]);
    args.extend(server);
    args.extend(asks);
    inspector
        .args(args)
        .current_dir(stage.home())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn answer(stage: &Stage, server: &[&str], asks: &[&str]) -> Value {
    let output = inspect(stage, server, asks);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{asks:?}: {text}\n{said}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_lists_and_calls_every_tool() {
    if !node::is_installed("@modelcontextprotocol/inspector") {
        return;
    }
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.update&item_id=4711&item_revision_id=3").await;
    let id = stage.wait_until_settled(&[], 1)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = format!("id={id}");

    let tools = answer(&stage, &["--allow-write"], &["--method", "tools/list"]);
    let tools = tools["tools"].as_array().unwrap().clone();
    assert_eq!(tools.len(), 9, "{tools:#?}");
    let call = |name: &str, arguments: &[&str]| {
        let mut asks = vec!["--method", "tools/call", "--tool-name", name];
        for argument in arguments {
            asks.extend(["--tool-arg", argument]);
        }
        answer(&stage, &["--allow-write"], &asks)
    };
    for (name, arguments, words) in [
        (
            "list_events",
            &["filter=item:4711", "limit=5"][..],
            "1 event",
        ),
        ("get_event", &[&id], "item_revision_id"),
        ("wait_for_event", &["filter=item:4711"], "arrived"),
        ("link_state", &[], "connected"),
        ("why", &["subject=item:4711"], "Cause: "),
        ("replay_event", &[&id], "answered 200, passed"),
        (
            "trigger_event",
            &["event=item.update"],
            "answered 200, passed",
        ),
        ("explain_event", &[&id], "podtap login"),
        ("list_hooks", &[], "podtap login"),
    ] {
        let said = call(name, arguments);
        let text = said["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(words), "{name}: {said:#}");
        assert_eq!(
            said["isError"] == true,
            text.starts_with("error: "),
            "{said:#}"
        );
    }
}
