//! Secrets stay protected: they are not sent unencrypted,
//! not logged, and not given to other programs.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{
    DEADLINE, Service, SharedStage, Stage, command, form_post, post, send, split_url,
};

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
    // Once more without `RUST_LOG`, which overrides `-vvv`.
    agent.terminate();
    agent.wait_for_end().await;
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
    agent.wait_for_end().await;

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
    let Some(shared) = SharedStage::new() else {
        return;
    };
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
    agent.wait_for_end().await;
    relay.terminate();
    relay.wait_for_end().await;

    let log = relay.stderr();
    assert!(log.contains("TRACE"), "{log}");
    let key = url.trim_end_matches('/').rsplit('/').next().unwrap();
    let secrets = [key, &token, "damask", "velvet", "brocade", "pg_advisory"];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

/// Sends a webhook by HTTP/2 with prior knowledge, its
/// head encoded with HPACK's static table and literals.
async fn post_by_http_2(authority: &str, path: &str, cookie: &str) {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let literal = |index: &[u8], value: &str| {
        let length = u8::try_from(value.len()).unwrap();
        [index, &[length], value.as_bytes()].concat()
    };
    let head = [
        b"\x83\x86".to_vec(),
        literal(b"\x01", authority),
        literal(b"\x04", path),
        literal(b"\x0f\x11", cookie),
    ];
    let request = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, b""),
        frame(1, 4, 1, &head.concat()),
        frame(0, 1, 1, b"x=velvet"),
    ];
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(&request.concat()).await.unwrap();
    let answered = async {
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains("stored") {
            assert!(
                stream.read_buf(&mut answer).await.unwrap() > 0,
                "{answer:?}"
            );
        }
    };
    tokio::time::timeout(DEADLINE, answered).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_of_a_relay_names_a_secret_at_any_level() {
    for level in ["error", "warn", "info", "debug", "trace"] {
        let (stage, service) = (Stage::new(), Service::start().await);
        let config = stage.home().join("relay.toml");
        let format = if level == "trace" { "json" } else { "text" };
        std::fs::write(
            &config,
            format!("log = '{level}'\nlog-format = '{format}'\n"),
        )
        .unwrap();
        let options = ["--config", config.to_str().unwrap()];
        let mut relay = stage.relay_with("127.0.0.1:0", &options).await;
        let (at, token) = (relay.url(), stage.token("ann"));
        let (mut agent, url) = stage.agent(&at, &token, service.address(), &[]).await;
        let (authority, path) = split_url(&url);
        let key = path.trim_matches('/').to_owned();
        let secrets = [
            ("cookie", "session=damask"),
            ("authorization", "Basic brocade"),
        ];
        let posted = post(&format!("{url}taffeta"), &secrets, b"x=velvet").await;
        assert_eq!(posted.status, 200);
        post_by_http_2(authority, &format!("/{key}/taffeta"), "session=damask").await;
        service.wait_for(2).await;
        // Refused tokens are not logged either, and neither is what cannot be parsed.
        let wrong = "pt_organza_organza_organza";
        for (target, header) in [
            (
                "/-/tunnels".to_owned(),
                format!("authorization: Bearer {wrong}"),
            ),
            (
                "/-/connect".to_owned(),
                format!("authorization: Bearer {wrong}"),
            ),
            (format!("/{key}/taffeta"), "host: two".to_owned()),
            (format!("/{key}/taf\x01feta"), "x: y".to_owned()),
            (
                format!("/{key}/taffeta"),
                format!("x-long: {}", "chiffon".repeat(9000)),
            ),
            (
                format!("/{key}/taffeta"),
                "transfer-encoding: gzip, chunked".to_owned(),
            ),
        ] {
            let request = format!(
                "GET {target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{header}\r\n\r\n"
            );
            let answer = send(authority, request.as_bytes()).await;
            assert!(answer.status >= 400, "{target} {header:.40}: {answer:?}");
            assert!(!answer.body.contains(wrong) && !answer.body.contains(&key));
        }
        let own = ["--relay", &at, "--token", &token];
        let rotated = stage.succeed(&[&["tunnels", "rotate", "crm"], &own[..]].concat());
        let rotated = rotated.split("http://").nth(1).unwrap();
        let new_key: String = { rotated.split('/').nth(1).unwrap().chars() }
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        assert_eq!(new_key.len(), KEY_LENGTH, "{rotated}");
        agent.terminate();
        agent.wait_for_end().await;
        let metrics = relay.metrics().await;
        relay.process.terminate();
        relay.process.wait_for_end().await;

        let all = [
            relay.process.stderr(),
            relay.process.stdout().join("\n"),
            metrics,
        ]
        .join("\n");
        let secrets = [
            &key, &new_key, &token, wrong, "damask", "brocade", "velvet", "taffeta", "chiffon",
        ];
        for secret in secrets {
            let line = all.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is told at {level}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_gets_none_of_the_secrets() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, mut agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.update&item_id=1").await;
    agent.object("attempt", |_| true).await;
    agent.terminate();
    agent.wait_for_end().await;
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
