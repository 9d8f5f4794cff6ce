//! Health and metrics, on a separate listener that the internet does not reach.

use std::collections::BTreeSet;

use crate::support::{Service, Stage, form_post, get};

#[tokio::test(flavor = "multi_thread")]
async fn health_is_public_and_metrics_are_for_the_admin_alone() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    assert_eq!(
        form_post(&url, b"type=item.create&item_id=1").await.status,
        200
    );

    for authority in [&relay.authority, &relay.admin] {
        assert_eq!(get(authority, "/-/healthz").await.status, 200);
        assert_eq!(get(authority, "/-/readyz").await.status, 200);
    }
    assert_eq!(get(&relay.authority, "/metrics").await.status, 404);
    let metrics = get(&relay.admin, "/metrics").await;
    assert_eq!(metrics.status, 200);
    let accepted = |line: &str| line.starts_with("podtap_") && line.ends_with(" 1");
    assert!(metrics.body.lines().any(accepted), "{}", metrics.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_webhooks_are_told_to_the_developer_and_counted_by_reason() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage
        .relay_with("127.0.0.1:0", &["--max-body", "10", "--methods", "POST"])
        .await;
    let token = stage.token("ann");
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let (authority, path) = crate::support::split_url(&url);

    assert_eq!(form_post(&url, b"12345678901").await.status, 413);
    let refused = agent.object("refused", |_| true).await;
    assert_eq!(refused["count"], 1);
    assert_eq!(refused["reason"], "body over 10 bytes");
    assert!(refused["last_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(get(authority, path).await.status, 405);
    agent
        .object("refused", |refused| {
            refused["reason"] != "body over 10 bytes"
        })
        .await;

    let metrics = relay.metrics().await;
    for line in [
        "podtap_events_refused_total{reason=\"too-large\"} 1",
        "podtap_events_refused_total{reason=\"method\"} 1",
        "podtap_events_refused_total{reason=\"rate\"} 0",
        "podtap_connections_refused_total{reason=\"descriptors\"} 0",
    ] {
        assert!(
            metrics.lines().any(|known| known == line),
            "{line} not in {metrics}"
        );
    }
}

/// The document and the relay list the same metrics.
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_and_every_reason_is_in_the_operating_guide() {
    const GUIDE: &str = include_str!("../../docs/OPERATING.md");
    let stage = Stage::new();
    let relay = stage.relay().await;
    let metrics = relay.metrics().await;
    let quoted: BTreeSet<&str> = GUIDE.split('`').skip(1).step_by(2).collect();

    let mut names = BTreeSet::new();
    for line in metrics.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let suffix = if kind == "counter" { "_total" } else { "" };
            names.insert(format!("{name}{suffix}"));
        } else if let Some((_, rest)) = line.split_once("reason=\"") {
            let reason = rest.split('"').next().unwrap();
            assert!(quoted.contains(reason), "{reason} is not in the guide");
        }
    }
    let described: BTreeSet<String> = quoted
        .iter()
        .filter(|word| word.starts_with("podtap_"))
        .map(|word| (*word).to_owned())
        .collect();
    assert_eq!(described, names);
}
