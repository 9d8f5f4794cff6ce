//! The monitoring of a relay: its metrics, the alerts and the
//! dashboard that use them, and a log that programs can read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{Stage, form_post};

const RULES: &str = include_str!("../../deploy/prometheus/podtap.rules.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana/podtap-relay.json");
const GUIDE: &str = include_str!("../../docs/OPERATING.md");

/// Returns the names of the relay's metrics in a text. A word before `{` or `[` is a name as well.
fn metric_names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("podtap_"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_dashboard_and_guide_name_metrics_that_there_are() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let metrics = relay.metrics().await;
    let series: BTreeSet<&str> = { metrics.lines() }
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    assert!(series.len() > 10, "{metrics}");

    for (file, text) in [("rules", RULES), ("dashboard", DASHBOARD)] {
        for name in metric_names(text) {
            assert!(series.contains(name), "{file}: the relay has no {name}");
        }
    }
    // The guide names a histogram without the suffixes of its series.
    let guide = metric_names(GUIDE);
    for name in &series {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let described = guide.contains(name) || base.is_some_and(|base| guide.contains(base));
        assert!(described, "docs/OPERATING.md does not describe {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_named_as_prometheus_wants_them() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let metrics = relay.metrics().await;
    let described = |kind: &str| -> BTreeMap<String, String> {
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(kind));
        let pairs = lines.filter_map(|line| line.split_once(' '));
        let owned = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        owned.collect()
    };
    let (kinds, helps, units) = (
        described("# TYPE "),
        described("# HELP "),
        described("# UNIT "),
    );
    assert!(kinds.len() > 10, "{metrics}");
    for (name, kind) in &kinds {
        let help = helps.get(name).map_or("", String::as_str);
        assert!(help.len() > 5, "{name} is not described");
        let simple = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(
            name.starts_with("podtap_") && name.chars().all(simple),
            "{name}"
        );
        for unit in [
            "_ms",
            "_millis",
            "milliseconds",
            "_kb",
            "_mib",
            "_minutes",
            "percent",
        ] {
            assert!(!name.contains(unit), "{name}: seconds and bytes alone");
        }
        for (word, unit) in [("seconds", "duration"), ("bytes", "bytes")] {
            assert!(!name.contains(unit) || name.ends_with(word), "{name}");
        }
        assert!(
            units.get(name).is_none_or(|unit| name.ends_with(unit)),
            "{name}"
        );
        // Only the series of counters have this suffix.
        let total = format!("{name}_total");
        let has_total = metrics.lines().any(|line| line.starts_with(&total));
        assert_eq!(kind == "counter", has_total, "{name} is a {kind}");
    }
    // Labels have only values that the relay defines, none of senders or owners.
    let labels = metrics.lines().filter_map(|line| line.split_once('{'));
    for (name, labels) in labels {
        let label = labels.split('=').next().unwrap();
        assert!(["reason", "le"].contains(&label), "{name}{{{labels}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_not_logged_one_by_one() {
    let stage = Stage::new();
    let mut relay = stage.relay().await;
    let before = relay.process.stderr();
    for _ in 0..3 {
        form_post(&format!("{}/nowhere", relay.url()), b"type=item.create").await;
    }
    relay.process.terminate();
    relay.process.wait_for_end().await;

    let log = relay.process.stderr();
    assert_eq!(log.strip_prefix(&before).unwrap_or(&log), "", "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_json_is_an_object_a_line() {
    let stage = Stage::new();
    let options = ["--log-format", "json", "-vv"];
    let mut relay = stage.relay_with("127.0.0.1:0", &options).await;
    let unknown = format!("{}/nowhere", relay.url());
    form_post(&unknown, b"type=item.create").await;
    relay.process.terminate();
    relay.process.wait_for_end().await;

    let log = relay.process.stderr();
    assert!(!log.is_empty());
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
    }
}
