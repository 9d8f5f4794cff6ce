//! Tests the monitoring of a relay with Prometheus itself: it reads the
//! metrics, evaluates the alert rules, and answers each query of the dashboard.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    DEADLINE, Process, Service, Stage, eventually, form_post, get, pause, script, send,
};

const MISSING: &str = "install prometheus to have it judge the metrics, rules and dashboard";

/// Number of the dashboard's queries that have values as soon
/// as one webhook was delivered. The others are about failures.
const ALWAYS: usize = 14;

fn read_deployed(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    root.join(file).display().to_string()
}

#[test]
fn each_alert_fires_when_it_should_and_not_before() {
    if !script::available("promtool", None, MISSING) {
        return;
    }
    for args in [
        [
            "check",
            "rules",
            &read_deployed("prometheus/podtap.rules.yml"),
        ],
        [
            "test",
            "rules",
            &read_deployed("prometheus/podtap.rules.test.yml"),
        ],
    ] {
        let judged = Command::new("promtool").args(args).output().unwrap();
        let said =
            String::from_utf8_lossy(&judged.stdout) + String::from_utf8_lossy(&judged.stderr);
        assert!(judged.status.success(), "{said}");
    }
    // Each alert must be in the test.
    let rules = std::fs::read_to_string(read_deployed("prometheus/podtap.rules.yml")).unwrap();
    let tests = std::fs::read_to_string(read_deployed("prometheus/podtap.rules.test.yml")).unwrap();
    for name in rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
    {
        assert!(
            tests.contains(&format!("alertname: {name}\n")),
            "{name} is not tested"
        );
    }
}

/// Starts Prometheus; returns it with its address.
async fn prometheus(stage: &Stage, relay: &str) -> (Process, String) {
    let file = stage.home().join("prometheus.yml");
    let rules = read_deployed("prometheus/podtap.rules.yml");
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
         rule_files: [\"{rules}\"]\n\
         scrape_configs:\n\
         - job_name: podtap-relay\n  static_configs: [{{ targets: [\"{relay}\"] }}]\n"
    );
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            stage.home().join("tsdb").display()
        ))
        .args(["--web.listen-address=127.0.0.1:0", "--log.level=info"]);
    let process = Process::spawn(command);
    let address = || {
        let log = process.stderr();
        let (_, rest) = log.split_once("msg=\"Listening on\" address=")?;
        let (address, _) = rest.split_once('\n')?;
        Some(address.trim().to_owned())
    };
    let address = eventually("Prometheus listens", address, || process.stderr()).await;
    // It listens before it can answer queries.
    while get(&address, "/-/ready").await.status != 200 {
        pause(Duration::from_millis(50)).await;
    }
    (process, address)
}

/// Returns Prometheus's response for this path. By HTTP/1.0, the response is not chunked.
async fn ask(prometheus: &str, path: &str) -> Value {
    let request = format!("GET {path} HTTP/1.0\r\nhost: {prometheus}\r\n\r\n");
    let answer = send(prometheus, request.as_bytes()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// Returns the values of a query.
async fn query(prometheus: &str, query: &str) -> Vec<Value> {
    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let answer = ask(prometheus, &format!("/api/v1/query?query={query}")).await;
    answer["data"]["result"].as_array().unwrap().clone()
}

/// Waits until a query has values.
async fn has_values(prometheus: &str, expr: &str) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while query(prometheus, expr).await.is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "nothing for {expr}");
        pause(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_the_metrics_and_answers_each_query_of_the_dashboard() {
    if !script::available("prometheus", None, MISSING) {
        return;
    }
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    let (_process, prometheus) = prometheus(&stage, &relay.admin).await;
    // Rates need two readings, the second after a webhook.
    has_values(&prometheus, "up{job=\"podtap-relay\"} == 1").await;
    let posted = form_post(&url, b"type=item.create&item_id=1").await;
    assert_eq!(posted.status, 200);
    service.wait_for(1).await;

    let board = std::fs::read_to_string(read_deployed("grafana/podtap-relay.json")).unwrap();
    let board: Value = serde_json::from_str(&board).unwrap();
    let targets = board["panels"].as_array().unwrap().iter();
    let targets =
        targets.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let exprs: Vec<String> = targets
        .filter_map(|target| Some(target["expr"].as_str()?.to_owned()))
        // Grafana replaces these variables, too.
        .map(|expr| {
            expr.replace("$instance", ".*")
                .replace("$__rate_interval", "1m")
        })
        .collect();
    assert!(exprs.len() > ALWAYS, "{exprs:?}");
    for expr in &exprs {
        if expr.ends_with("> 0") {
            query(&prometheus, expr).await;
        } else {
            has_values(&prometheus, expr).await;
        }
    }
    let without_fault = exprs.iter().filter(|expr| !expr.ends_with("> 0"));
    assert!(without_fault.count() >= ALWAYS, "{exprs:?}");

    let answer = ask(&prometheus, "/api/v1/rules").await;
    let rules = answer["data"]["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 7, "{answer}");
    for rule in rules {
        assert_ne!(rule["health"], "err", "{rule}");
        // An alert may be pending if a busy machine was late once.
        assert_ne!(rule["state"], "firing", "all is well: {rule}");
    }
}
