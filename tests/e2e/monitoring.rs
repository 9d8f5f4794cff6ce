//! What watches a relay from outside: its metrics, the alerts and the dashboard that use them, and
//! a log that programs can read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Stage, form_post, send};

const RULES: &str = include_str!("../../deploy/prometheus/podtap.rules.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana/podtap-relay.json");
const GUIDE: &str = include_str!("../../docs/OPERATING.md");

/// The names of the relay's metrics in a text. A word before `{` or `[` is a name as well.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("podtap_"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_dashboard_and_guide_name_metrics_that_there_are() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        relay.admin
    );
    let metrics = send(&relay.admin, request.as_bytes()).await.body;
    let series: BTreeSet<&str> = { metrics.lines() }
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    assert!(series.len() > 10, "{metrics}");

    for (file, text) in [("rules", RULES), ("dashboard", DASHBOARD)] {
        for name in named(text) {
            assert!(series.contains(name), "{file}: the relay has no {name}");
        }
    }
    // The guide names a histogram without what its series end in.
    let guide = named(GUIDE);
    for name in &series {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let described = guide.contains(name) || base.is_some_and(|base| guide.contains(base));
        assert!(described, "docs/OPERATING.md does not describe {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_json_is_an_object_a_line() {
    let stage = Stage::new();
    let options = ["--log-format", "json", "-vv"];
    let mut relay = stage.relay_with("127.0.0.1:0", &options).await;
    let unknown = format!("{}/nowhere", relay.url());
    form_post(&unknown, b"type=item.create").await;
    relay.process.terminate();
    relay.process.ended().await;

    let log = relay.process.stderr();
    assert!(!log.is_empty());
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
    }
}
