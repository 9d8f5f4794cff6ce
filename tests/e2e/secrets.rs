//! Secrets stay where they belong: not in the clear, not in logs, not in other programs.

use crate::support::{Service, Shared, Stage, command, form_post, post};

const KEY_LENGTH: usize = 26;

#[test]
fn a_token_is_not_sent_to_a_relay_over_plain_http() {
    let stage = Stage::new();
    for relay in ["http://relay.example", "http://10.1.2.3:8080"] {
        let mut listen = command(&stage, &["listen", "1", "--relay", relay, "--json"]);
        let refused = listen.env("PODTAP_TOKEN", "pt_secret").output().unwrap();
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("https://"), "{stderr}");
        assert!(stderr.contains("--allow-plaintext-relay"), "{stderr}");
    }
}

#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    let stage = Stage::new();
    for listen in [
        &["listen", "http://ann:hunter2@localhost:3000"][..],
        &["listen", "1", "--relay", "https://ann:hunter2@hooks.test"],
        &["replay", "1", "--to", "ann:hunter2@localhost"],
    ] {
        let (code, stdout, stderr) = stage.run(listen);
        assert_eq!(code, 2, "{stderr}");
        assert!(!(stdout + &stderr).contains("hunter2"), "{stderr}");
        assert!(stderr.contains("password"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_names_neither_key_nor_token_nor_body() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, token, mut agent, url) = stage.way_to(&service, &[]).await;
    // Once more without `RUST_LOG`, which would win over `-vvv`.
    agent.terminate();
    agent.ended().await;
    let listen = [
        "listen",
        &service.address().to_string(),
        "--relay",
        &relay.url(),
        "--name",
        "crm",
        "--json",
        "-vvv",
    ];
    let mut listen = command(&stage, &listen);
    listen.env("PODTAP_TOKEN", &token).env_remove("RUST_LOG");
    let mut agent = crate::support::Process::spawn(listen);
    agent.object("ready", |_| true).await;
    let posted = form_post(
        &format!("{url}podio/hook"),
        b"type=item.update&item_id=1&x=velvet",
    )
    .await;
    assert_eq!(posted.status, 200);
    agent.object("attempt", |_| true).await;
    agent.terminate();
    agent.ended().await;

    let log = agent.stderr();
    let key = url.trim_end_matches('/').rsplit('/').next().unwrap();
    assert_eq!(key.len(), KEY_LENGTH);
    assert!(log.contains("the link is up"), "{log}");
    for secret in [key, &token, "velvet"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_of_a_relay_with_a_shared_database_neither() {
    let Some(shared) = Shared::new() else { return };
    let (stage, service) = (&shared.stage, Service::start().await);
    let relay = [
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--database",
        &shared.database,
        "--json",
        "-vvv",
    ];
    let mut relay = command(stage, &relay);
    relay.env_remove("RUST_LOG");
    let mut relay = crate::support::Process::spawn(relay);
    let ready = relay.object("ready", |_| true).await;
    let token = shared.token();
    let at = format!("http://{}", ready["listen"].as_str().unwrap());
    let (mut agent, url) = stage.agent(&at, &token, service.address(), &[]).await;
    let cookie = [("cookie", "session=damask")];
    let posted = post(&format!("{url}brocade"), &cookie, b"x=velvet").await;
    assert_eq!(posted.status, 200);
    agent.object("attempt", |_| true).await;
    agent.terminate();
    agent.ended().await;
    relay.terminate();
    relay.ended().await;

    let log = relay.stderr();
    assert!(log.contains("TRACE"), "{log}");
    let key = url.trim_end_matches('/').rsplit('/').next().unwrap();
    let secrets = [key, &token, "damask", "velvet", "brocade", "pg_advisory"];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_gets_none_of_the_secrets() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, mut agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.update&item_id=1").await;
    agent.object("attempt", |_| true).await;
    agent.terminate();
    agent.ended().await;
    let seen = stage.home().join("seen");
    let editor = format!("env > {} ; true", seen.display());

    let id = stage.events(&[])[0]["id"].as_str().unwrap().to_owned();
    let mut replay = command(&stage, &["replay", &id, "--edit", "--name", "crm"]);
    let secrets = [
        "PODTAP_TOKEN",
        "PODTAP_PODIO_CLIENT_SECRET",
        "PODTAP_PODIO_PASSWORD",
    ];
    replay.envs(secrets.map(|name| (name, "velvet")));
    replay.envs([
        ("PODTAP_PODIO_CLIENT_ID", "podtap"),
        ("PODTAP_PODIO_USERNAME", "ann"),
    ]);
    replay.env("EDITOR", &editor).env_remove("VISUAL");
    let replayed = replay.output().unwrap();
    assert!(replayed.status.success(), "{replayed:?}");

    let seen = std::fs::read_to_string(&seen).unwrap();
    assert!(seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("velvet"), "{seen}");
}
