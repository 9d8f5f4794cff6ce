//! A bug report contains what is needed, and no secret.

use crate::support::{Service, Stage, command, form_post};

/// The value of every secret setting, and of other places that may hold a secret.
const CANARY: &str = "canary-7Qx9";

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_holds_no_secret_whatever_it_was_set_by() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, token, agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    agent.object("attempt", |_| true).await;
    let log = stage.home().join("data/podtap/podtap.log");
    let key = url.trim_end_matches('/').rsplit('/').next().unwrap();
    let lines = format!(
        "old\n{}\n{url}\n{token}\n{CANARY}-secret\n",
        "line\n".repeat(300)
    );
    std::fs::write(log, lines).unwrap();
    let secret_file = stage.home().join("secret");
    std::fs::write(&secret_file, format!("{CANARY}-file\n")).unwrap();

    let file = stage.home().join("report.json");
    let (at, out) = (relay.url(), file.display().to_string());
    let canary = |end: &str| format!("{CANARY}-{end}");
    let mut doctor = command(
        &stage,
        &["doctor", "--name", "crm", "--relay", &at, "--bundle", &out],
    );
    doctor
        .env("PODTAP_TOKEN", &token)
        .env("PODTAP_PODIO_CLIENT_ID", "podtap")
        .env("PODTAP_PODIO_CLIENT_SECRET", canary("secret"))
        .env("PODTAP_PODIO_APP_ID", "1")
        .env("PODTAP_PODIO_APP_TOKEN_FILE", &secret_file)
        .env("PODTAP_PODIO_USERNAME", canary("user"))
        .env("PODTAP_PODIO_PASSWORD", canary("password"))
        .env(
            "PODTAP_FORWARD_TO",
            format!("http://localhost:1/x?key={}", canary("query")),
        )
        .env(
            "HTTPS_PROXY",
            format!("http://ann:{}@127.0.0.1:1", canary("proxy")),
        );
    let output = doctor.output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!said.contains(CANARY) && !said.contains(&token), "{said}");
    let warned = said.matches("can be read by other users").count();
    assert_eq!(warned, 1, "each warning once: {said}");

    let text = std::fs::read_to_string(&file).unwrap();
    for secret in [CANARY, &token, key] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["podtap"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["checks"].as_array().unwrap().len(), 15);
    let settings = report["settings"].as_array().unwrap();
    let relay = settings.iter().find(|line| line["key"] == "relay").unwrap();
    assert_eq!(relay["value"], at);
    assert_eq!(relay["origin"], "--relay");
    let lines = report["log"].as_array().unwrap();
    assert_eq!(lines.len(), 200);
    assert!(
        lines[199].as_str().unwrap().starts_with("(hidden)"),
        "{lines:?}"
    );

    // An existing file is never replaced.
    let output = command(&stage, &["doctor", "--bundle", &out])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}
