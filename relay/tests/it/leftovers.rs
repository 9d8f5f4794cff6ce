//! Tests that nothing of acknowledged webhooks is left on the disk.

use std::path::Path;

use tempfile::tempdir;

use crate::support::TestRelay;
use crate::support::http::post;

/// Returns the files below a folder that contain a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        if bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn what_was_acknowledged_is_in_no_file_after_the_end() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    for number in 0..60 {
        let body = format!("name=Grace{number}&note={}", "x".repeat(20_000));
        assert_eq!(post(relay.address, &agent.path(), body).await.status, 200);
    }
    assert!(!files_with(folder.path(), "name=Grace").is_empty());

    let last = agent.events(60).await.pop().unwrap().seq;
    agent.ack(last).await;
    agent.leave().await;
    let waiting = relay.agent("crm").await;
    assert_eq!(waiting.welcome.backlog, 0);
    waiting.leave().await;
    relay.stop().await;

    assert_eq!(
        files_with(folder.path(), "name=Grace"),
        Vec::<String>::new()
    );
}
