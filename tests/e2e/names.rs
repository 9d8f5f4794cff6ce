//! Names that Podtap shares with other programs: ports, environment variables and words.

use serde_json::Value;

use crate::support::{Process, Service, Stage, command, form_post, own_port};

fn port(ready: &Value) -> u16 {
    let url = ready["url"].as_str().unwrap();
    let authority = url.split('/').nth(2).unwrap();
    authority.rsplit(':').next().unwrap().parse().unwrap()
}

/// Returns the bodies of the events that `podtap events` prints.
fn bodies(stage: &Stage, args: &[&str]) -> Vec<String> {
    let printed = stage.succeed(&[&["events", "--json"], args].concat());
    let events = printed
        .lines()
        .map(serde_json::from_str::<Value>)
        .map(Result::unwrap);
    let body = |event: Value| event["body"].as_str().unwrap().to_owned();
    events.map(body).collect()
}

/// Creates a tunnel with one event that contains the tunnel's name.
async fn with_event(stage: &Stage, name: &str) {
    let service = Service::start().await;
    let target = service.address().to_string();
    let args = ["listen", &target, "--name", name, "--json"];
    let mut agent = stage.start(&args);
    let ready = agent.object("ready", |_| true).await;
    let body = format!("type=item.update&item_id=1&external_id={name}");
    form_post(ready["url"].as_str().unwrap(), body.as_bytes()).await;
    service.wait_for(1).await;
    agent.terminate();
    agent.wait_for_end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tunnel_that_is_named_is_the_one_that_is_shown_however_it_is_spelled() {
    let stage = Stage::new();
    with_event(&stage, "crm").await;
    with_event(&stage, "relay").await;

    for name in [
        &["--name", "crm"][..],
        &["--name=crm"],
        &["-n", "crm"],
        &["-ncrm"],
        &["-n=crm"],
        &["-l", "1", "-n", "crm"],
        &["type:item.*", "-n", "crm"],
        &["-type:hook.verify", "-n", "crm", "item:1"],
        &["-n", "crm", "--", "-type:hook.verify"],
    ] {
        let bodies = bodies(&stage, name);
        assert!(bodies.len() == 1 && bodies[0].ends_with("=crm"), "{name:?}");
    }
    let relays = bodies(&stage, &["-n", "relay", "-note:x"]);
    assert!(relays[0].ends_with("=relay"), "{relays:?}");
    let (code, _, stderr) = stage.run(&["events", "-x", "-n", "crm"]);
    assert!(code == 2 && stderr.contains("'-x'"), "{code} {stderr}");
    let replay = ["replay", "--filter", "-type:item.*", "-n", "crm"];
    assert_eq!(stage.run(&replay).0, 6, "a filter that begins with a minus");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_of_ones_own_keeps_its_port_and_stays_off_the_ports_of_services() {
    let stage = Stage::new();
    let listen = async |target: &str, name: &str, more: &[&str]| -> (Process, u16) {
        let args = ["listen", target, "--name", name, "--json"];
        let agent = stage.start(&[&args[..], more].concat());
        let ready = agent.object("ready", |_| true).await;
        let port = port(&ready);
        (agent, port)
    };

    // Other tests may use the usual ports meanwhile, so the port that must stay is another one.
    let (mut first, crm) = listen("8080", "crm", &["--listen", "127.0.0.1:0"]).await;
    let (_second, shop) = listen("3000", "shop", &[]).await;
    assert!((7638..7738).contains(&shop), "{shop}");
    first.terminate();
    first.wait_for_end().await;

    let (mut again, same) = listen("8080", "crm", &[]).await;
    assert_eq!(same, crm, "the same URL");
    again.terminate();
    again.wait_for_end().await;
    let (_agent, moved) = listen(&crm.to_string(), "crm", &[]).await;
    assert_ne!(moved, crm, "the port of the local service is its own");

    let address = format!("127.0.0.1:{shop}");
    let args = ["listen", &shop.to_string(), "--listen", &address];
    let (code, _, stderr) = stage.run(&args);
    assert!(code == 2 && stderr.contains("local service"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variable_port_is_for_the_relay_alone() {
    let stage = Stage::new();
    let number = own_port();
    let with_port = |args: &[&str]| {
        let mut command = command(&stage, args);
        command.env("PORT", number.to_string());
        Process::spawn(command)
    };

    let listen = with_port(&["listen", "3000", "--name", "crm", "--json"]);
    let ready = listen.object("ready", |_| true).await;
    assert_ne!(port(&ready), number);
    let relay = with_port(&["relay", "--json", "--data-dir", &stage.relay_dir()]);
    let ready = relay.object("ready", |_| true).await;
    assert_eq!(ready["listen"], format!("0.0.0.0:{number}"));
}

#[test]
fn variables_of_others_stop_nothing() {
    let stage = Stage::new();
    for (name, value) in [
        ("PODTAP_PORT", "tcp://10.0.0.1:80"),
        ("PODTAP_SERVICE_HOST", "10.0.0.1"),
        ("PODTAP_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("PODTAP_RELAY_PORT", "tcp://10.0.0.1:80"),
    ] {
        let mut command = command(&stage, &["config", "check"]);
        let output = command.env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{name}");
    }

    let mut command = command(&stage, &["config", "check"]);
    let output = command.env("PODTAP_TOKN", "x").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.starts_with("warning: ") && stderr.contains("did you mean PODTAP_TOKEN?"));
}

#[test]
fn a_secret_that_others_can_read_is_pointed_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let (config, token) = (stage.home().join("c.toml"), stage.home().join("token"));
    std::fs::write(&config, "podio-client-secret = 'x'\npodio-client-id = 'x'").unwrap();
    std::fs::write(&token, "pt_any").unwrap();
    let run = |mode: u32| {
        for file in [&config, &token] {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let (config, token) = (config.display().to_string(), token.display().to_string());
        let relay = [
            "listen",
            "3000",
            "--relay",
            "http://127.0.0.1:9",
            "--no-wait",
        ];
        let files = ["--config", &config, "--token-file", &token];
        let (_, _, stderr) = stage.run(&[&relay[..], &files].concat());
        stderr
    };
    let stderr = run(0o644);
    assert_eq!(
        stderr.matches("can be read by other users").count(),
        2,
        "{stderr}"
    );
    assert!(
        stderr.contains("0644") && stderr.contains("chmod 600"),
        "{stderr}"
    );
    assert!(!run(0o600).contains("warning"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_holds_secrets_dumps_no_core() {
    let stage = Stage::new();
    let relay = ["relay", "--listen", "127.0.0.1:0", "--json", "--data-dir"];
    let relay = stage.start(&[&relay[..], &[&stage.relay_dir()]].concat());
    relay.object("ready", |_| true).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", relay.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{words:?}");
}

#[test]
fn help_needs_nothing_of_the_settings() {
    let stage = Stage::new();
    let broken = stage.home().join("broken.toml");
    std::fs::write(&broken, "relay = [").unwrap();
    for args in [
        &["--help"][..],
        &["man"],
        &["completions", "bash"],
        &["listen", "--help"],
        &["ui", "--print-keys"],
        &["sandbox", "--print-seed"],
        &["trigger", "--list"],
    ] {
        let mut command = command(&stage, args);
        command.env("PODTAP_CONFIG", &broken).env("PODTAP_X", "1");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty(), "{args:?}");
    }
}
