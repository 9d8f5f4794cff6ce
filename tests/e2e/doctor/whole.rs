//! A way without faults, and the settings.

use super::DoctorOutput;
use crate::support::{Service, Stage, command, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_agent_each_link_works_and_the_tunnel_stays_the_agents() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, token, agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    service.wait_for(1).await;
    agent.object("attempt", |_| true).await;

    let at = relay.url();
    let said = DoctorOutput::of(&stage, &["--relay", &at], &[("PODTAP_TOKEN", &token)]);

    assert_eq!(said.code, Some(0), "{said:?}");
    for (link, words) in [
        ("settings", "token (PODTAP_TOKEN)"),
        ("data-folder", "`podtap listen` runs (process"),
        ("dns", "127.0.0.1 is an address"),
        ("proxy", "directly"),
        ("tcp", "answers within"),
        ("tls", "none"),
        ("relay", concat!("podtap/", env!("CARGO_PKG_VERSION"))),
        ("clock", "agrees"),
        ("token", "PODTAP_TOKEN"),
        ("websocket", "3 s without traffic"),
        ("tunnel", "crm: served by an agent on"),
        ("service", "accepts connections"),
        ("last-event", "item.create of item 1"),
    ] {
        said.has(link, "ok", words);
    }
    said.has("podio", "skipped", "no Podio credentials");
    said.has("hooks", "skipped", "no Podio credentials");
    assert!(!format!("{said:?}").contains(&token), "{said:?}");

    // The doctor has not disconnected the agent.
    form_post(&url, b"type=item.create&item_id=2").await;
    service.wait_for(2).await;
    let links = agent.objects("link");
    assert!(links.len() <= 1, "{links:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_relay_the_rest_is_looked_at_and_lines_say_so() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let target = service.address().to_string();
    let said = DoctorOutput::of(&stage, &["--forward-to", &target], &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for link in ["dns", "tcp", "relay", "token", "websocket", "tunnel"] {
        said.has(link, "skipped", "no relay is set");
    }
    said.has("service", "ok", &target);

    let (code, stdout, stderr) = stage.run(&["doctor", "--name", "crm", "-f", &target]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let skipped: Vec<_> = stdout
        .lines()
        .filter(|line| line.contains("no relay is set"))
        .collect();
    assert_eq!(skipped.len(), 1, "one line for one reason: {stdout}");
    assert!(skipped[0].starts_with("– relay's name"), "{stdout}");
    assert!(stdout.contains("✓ local service  "), "{stdout}");
    assert!(stdout.ends_with("could be checked.\n"), "{stdout}");
}

#[test]
fn a_wrong_setting_is_named_with_its_origin_and_only_what_needs_it_is_skipped() {
    let stage = Stage::new();
    let said = DoctorOutput::of(
        &stage,
        &["--relay", "http://far.test"],
        &[("PODTAP_WINDOW", "soon")],
    );
    said.breaks_at("settings", "soon", &["dns"]);
    said.has("settings", "failed", "PODTAP_WINDOW");
    said.has("settings", "failed", "unencrypted");
    said.has("data-folder", "ok", "no history yet");

    let file = stage.home().join("wrong.toml");
    std::fs::write(&file, "relai = 'x'\n").unwrap();
    let mut doctor = command(&stage, &["doctor", "--config"]);
    let output = doctor.arg(&file).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    let first = stdout.lines().next().unwrap();
    assert!(
        first.starts_with("✗ settings") && first.contains("relai"),
        "{stdout}"
    );
    assert!(stdout.contains("(needs the settings)"), "{stdout}");
}
