//! Podio's API and the hooks, checked with the sandbox.

use super::DoctorOutput;
use crate::hooks::{APP, CREDENTIALS, Podio};
use crate::support::{Process, Service, Stage};

fn doctor(stage: &Stage, podio: &str, args: &[&str], wrong: &[(&str, &str)]) -> DoctorOutput {
    let known = [CREDENTIALS, &[("PODTAP_PODIO_URL", podio)], wrong].concat();
    DoctorOutput::of(stage, args, &known)
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_podio_does_not_take_are_told() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    for name in ["PODTAP_PODIO_CLIENT_SECRET", "PODTAP_PODIO_APP_TOKEN"] {
        let said = doctor(&stage, &podio.url, &[], &[(name, "hunter2")]);
        said.breaks_at("podio", "", &["hooks"]);
        assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    }
    // Incomplete credentials are an error.
    let half = [("PODTAP_PODIO_URL", podio.url.as_str()), CREDENTIALS[0]];
    DoctorOutput::of(&stage, &[], &half).breaks_at(
        "podio",
        "podio-client-secret is not",
        &["hooks"],
    );
    let said = doctor(&stage, &podio.url, &[], &[]);
    said.has("podio", "ok", "calls left this hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_away_or_spent_is_told() {
    let stage = Stage::new();
    let said = doctor(&stage, "http://127.0.0.1:9", &[], &[]);
    said.breaks_at("podio", "connection refused", &["hooks"]);

    let sandbox = stage.start(&[
        "sandbox",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--rate-limit",
        "3",
    ]);
    let ready = sandbox.object("ready", |_| true).await;
    let url = ready["podio_url"].as_str().unwrap();
    let mut spent = doctor(&stage, url, &[], &[]);
    for _ in 0..5 {
        spent = doctor(&stage, url, &[], &[]);
    }
    spent.breaks_at("podio", "", &["hooks"]);
    let detail = spent.link("podio")["detail"].as_str().unwrap();
    assert!(
        detail.contains("0 of 3") || detail.contains("rate limit"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_missing_elsewhere_or_inactive_is_told() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let (relay, token, mut agent, url) = stage.way_to(&service, &[]).await;
    let at = relay.url();
    let doctor = || {
        let args = ["--relay", &at, "--token", &token];
        doctor(&stage, &podio.url, &args, &[])
    };
    let create = |url: &str| {
        podio.objects(&stage, &["hooks", "create", "item.update", url, "--json"]);
    };
    doctor().breaks_at("hooks", &format!("there is no hook on app {APP}"), &[]);

    create("http://203.0.113.9/old");
    let said = doctor();
    said.breaks_at("hooks", "no hook leads to this tunnel", &[]);
    assert!(said.fix("hooks").contains("podtap hooks move"), "{said:?}");

    // Without an agent, no one validates the hook.
    agent.terminate();
    agent.wait_for_end().await;
    let hook = format!("{url}podio/hook");
    create(&hook);
    let said = doctor();
    said.breaks_at("hooks", "is not active", &[]);
    assert!(
        said.fix("hooks").contains("podtap hooks verify"),
        "{said:?}"
    );

    let target = service.address().to_string();
    let args = ["listen", &target, "--relay", &at, "--name", "crm", "--json"];
    let mut listen = crate::support::command(&stage, &args);
    listen
        .envs(CREDENTIALS.iter().copied())
        .env("PODTAP_PODIO_URL", &podio.url)
        .env("PODTAP_TOKEN", &token);
    let agent = Process::spawn(listen);
    agent.object("verify", |verify| verify["ok"] == true).await;
    let said = doctor();
    said.has("hooks", "ok", "1 hook leads to this tunnel, all active");
    assert_eq!(said.code, Some(0), "{said:?}");
}
