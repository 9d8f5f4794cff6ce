//! Invalid input gets a clear error and the right status or exit code, and nothing is lost.

use std::process::Command;

use crate::support::{
    Answer, GoneService, Service, Stage, command, form_post, script, send, split_url,
};

const NEVER_A_KEY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Returns the parts of a response that must be equal for an unknown and for a malformed key.
fn shape(answer: &Answer) -> (u16, Vec<String>, String) {
    let headers = answer
        .head
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with("date"));
    (
        answer.status,
        headers.map(str::to_owned).collect(),
        answer.body.clone(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_and_a_malformed_one_get_the_same_404() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let get = async |path: &str| form_post(&format!("{}{path}", relay.url()), b"type=x").await;

    let unknown = get(&format!("/{NEVER_A_KEY}/hook")).await;
    assert_eq!(unknown.status, 404);
    for malformed in [
        "/short/hook",
        "/",
        "/AAAAAAAAAAAAAAAAAAAAAAAAAA/hook",
        "/-/nothing",
        "/%00",
    ] {
        assert_eq!(shape(&get(malformed).await), shape(&unknown), "{malformed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_413_and_the_next_one_passes() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage
        .relay_with("127.0.0.1:0", &["--max-body", "1KiB"])
        .await;
    let token = stage.token("ann");
    let (_agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let (authority, path) = split_url(&url);

    assert_eq!(form_post(&url, &[b'x'; 1025]).await.status, 413);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let chunk = format!(
        "400\r\n{}\r\n400\r\n{}\r\n0\r\n\r\n",
        "x".repeat(1024),
        "x".repeat(1024)
    );
    let answer = send(authority, format!("{head}{chunk}").as_bytes()).await;
    assert_eq!(answer.status, 413);
    assert!(
        answer.body.contains("1024"),
        "the limit is named: {answer:?}"
    );

    assert_eq!(form_post(&url, &[b'y'; 1024]).await.status, 200);
    assert_eq!(service.wait_for(1).await[0].body, vec![b'y'; 1024]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_with_exit_code_3() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let real = stage.token("ann");

    for wrong in ["pt_nonsense", "", &format!("{real}x")] {
        let mut agent = stage.start_agent(&relay.url(), wrong, service.address(), &[]);
        let status = agent.wait_for_end().await;
        let stderr = agent.stderr();
        let expected = if wrong.is_empty() { 2 } else { 3 };
        assert_eq!(status.code(), Some(expected), "{wrong:?}: {stderr}");
        assert!(stderr.contains("token"), "{stderr}");
        assert!(!stderr.contains(&real), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_protocol_version_is_refused_by_name() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let request = format!(
        "GET /-/connect HTTP/1.1\r\nhost: {}\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: podtap.v9\r\nauthorization: Bearer {token}\r\n\
         content-length: 0\r\n\r\n",
        relay.authority
    );

    let answer = send(&relay.authority, request.as_bytes()).await;

    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(
        answer.body.contains("podtap.v9") && answer.body.contains("podtap.v1"),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_relay_is_waited_for_or_not_as_told() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let gone = GoneService::new();
    let relay = format!("http://{}", gone.address());

    let mut told = stage.start_agent(&relay, "pt_any", service.address(), &["--no-wait"]);
    assert_eq!(
        told.wait_for_end().await.code(),
        Some(4),
        "{}",
        told.stderr()
    );
    assert!(told.stderr().contains(&relay), "{}", told.stderr());

    let waiting = stage.start_agent(&relay, "pt_any", service.address(), &[]);
    let link = waiting
        .object("link", |link| link["reason"].is_string())
        .await;
    assert!(
        link["reason"].as_str().unwrap().contains("refused"),
        "{link}"
    );
    assert!(
        waiting.objects("ready").is_empty(),
        "ready only after a handshake"
    );
}

#[tokio::test]
async fn a_malformed_configuration_is_refused_with_what_would_be_right() {
    let stage = Stage::new();
    let config = stage.home().join("c.toml");
    let path = config.display().to_string();
    let run = |text: &str| {
        std::fs::write(&config, text).unwrap();
        stage.run(&["events", "--config", &path])
    };

    for (text, expected) in [
        ("relai = 'https://x'", "did you mean `relay`?"),
        ("relay = ", "line 1"),
        ("name = 'Not A Name'", "a tunnel name"),
        ("name = ['a']", "not a TOML array"),
    ] {
        let (code, stdout, stderr) = run(text);
        assert_eq!(code, 2, "{text}: {stderr}");
        assert!(stderr.contains(expected), "{text}: {stderr}");
        assert_eq!(stdout, "", "errors are never on stdout");
    }
    let (code, _, stderr) = stage.run(&["events", "--config", "/nowhere/c.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("/nowhere/c.toml"), "{stderr}");
}

#[tokio::test]
async fn a_local_url_that_cannot_be_parsed_is_a_usage_error() {
    let stage = Stage::new();

    for target in ["70000", "ftp://x", "http://", "not a url"] {
        let (code, _, stderr) = stage.run(&["listen", target, "--relay", "http://127.0.0.1:9"]);
        assert_eq!(code, 2, "{target}: {stderr}");
        assert!(stderr.contains("try 3000"), "{target}: {stderr}");
    }
}

#[test]
fn a_setting_of_a_relay_that_cannot_be_right_is_named_with_what_would_be() {
    let stage = Stage::new();
    let (dir, wrong) = (stage.relay_dir(), stage.home().join("wrong.pem"));
    std::fs::write(&wrong, "nothing").unwrap();
    let file = wrong.display().to_string();
    let acme = [
        "--tls",
        "acme",
        "--acme-domain",
        "hooks.example.com",
        "--acme-contact",
        "ann@example.com",
    ];
    for (options, named, cure) in [
        (
            &["--trusted-proxy", "10.0.0.0/33"][..],
            "trusted-proxy",
            "10.0.0.0/8",
        ),
        (
            &["--trusted-proxy", "proxy.test"],
            "trusted-proxy",
            "10.0.0.0/8",
        ),
        (&["--proxy-protocol"], "proxy-protocol", "--trusted-proxy"),
        (&["--tls", "on"], "tls", "`files` or `acme`"),
        (&["--tls", "files"], "tls-cert", "tls-key"),
        (&["--tls-cert", "/c.pem"], "tls-cert", "--tls files"),
        (
            &["--acme-directory", "https://ca.test/dir"],
            "acme-directory",
            "--tls acme",
        ),
        (&["--acme-ca", "/ca.pem"], "acme-ca", "--tls acme"),
        (&["--tls", "acme"], "acme-domain", "hooks.example.com"),
        (
            &[&acme[..], &["--acme-directory", "http://ca.test/dir"]].concat(),
            "acme-directory",
            "https://",
        ),
        (
            &[&acme[..], &["--acme-ca", &file]].concat(),
            "wrong.pem",
            "PEM",
        ),
        (
            &[&acme[..], &["--tls-key", "/k.pem"]].concat(),
            "tls-key",
            "tls to files",
        ),
        (
            &["--max-total-queue-bytes", "much"],
            "max-total-queue-bytes",
            "MiB",
        ),
        (&["--listen", "80"], "listen", "127.0.0.1:8080"),
        (&["--methods", "P!ST"], "methods", "POST"),
    ] {
        let fixed = ["relay", "--data-dir", &dir];
        let (code, stdout, said) = stage.run(&[&fixed[..], options].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{options:?}: {said}");
        assert!(
            said.contains(named) && said.contains(cure),
            "{options:?}: {said}"
        );
    }
}

#[test]
fn a_malformed_network_is_named_wherever_it_was_set() {
    let stage = Stage::new();
    let (dir, file) = (stage.relay_dir(), stage.home().join("relay.toml"));
    let path = file.display().to_string();
    for wrong in [
        "10.0.0.0/33",
        "::1/129",
        "10.0.0/8",
        "10.0.0.0/",
        "/8",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.1-10.0.0.9",
        "256.0.0.1",
        "*",
        "::1%lo",
        "127.0.0.1:80",
        "10.0.0.0/8,nonsense",
    ] {
        let relay = ["relay", "--data-dir", &dir];
        let by_flag = [&relay[..], &["--trusted-proxy", wrong]].concat();
        let by_file = [&relay[..], &["--config", &path]].concat();
        std::fs::write(&file, format!("trusted-proxy = '{wrong}'")).unwrap();
        for (args, variable, origin) in [
            (&by_flag, None, "--trusted-proxy"),
            (&by_file, None, "relay.toml"),
            (&relay.to_vec(), Some(wrong), "PODTAP_TRUSTED_PROXY"),
        ] {
            let mut command = command(&stage, args);
            command.envs(variable.map(|value| ("PODTAP_TRUSTED_PROXY", value)));
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{wrong}: {said}");
            for word in [wrong, origin, "10.0.0.0/8"] {
                assert!(said.contains(word), "{wrong}, {origin}: {said}");
            }
        }
    }
}

/// Returns the first port that needs no privilege, according to the kernel.
fn first_free_port() -> u16 {
    let file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.trim().parse().unwrap_or(1024)
}

#[test]
fn a_port_that_needs_a_right_is_explained_with_how_to_give_it() {
    if first_free_port() <= 81 {
        eprintln!("skipped: on this machine each port is free to all");
        return;
    }
    if !script::available(
        "setpriv",
        None,
        "install util-linux to try ports below 1024",
    ) {
        return;
    }
    let stage = Stage::new();
    let dir = stage.relay_dir();
    for (options, address) in [
        (&["--listen", "127.0.0.1:80"][..], "127.0.0.1:80"),
        (
            &["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:81"],
            "127.0.0.1:81",
        ),
    ] {
        // As for an ordinary user, even if root runs the tests.
        let relay = command(&stage, &[&["relay", "--data-dir", &dir], options].concat());
        let mut command = Command::new("setpriv");
        command.arg("--inh-caps=-net_bind_service");
        if rustix::process::geteuid().is_root() {
            command.arg("--bounding-set=-net_bind_service");
        }
        command.arg(relay.get_program()).args(relay.get_args());
        for (name, value) in relay.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(output.stdout.is_empty());
        for word in [
            address,
            "AmbientCapabilities=CAP_NET_BIND_SERVICE",
            "setcap cap_net_bind_service",
            "higher port",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_and_a_folder_that_cannot_be_written_are_named() {
    let stage = Stage::new();
    let relay = stage.relay().await;

    let other = stage.home().join("other").display().to_string();
    let (code, _, stderr) =
        stage.run(&["relay", "--listen", &relay.authority, "--data-dir", &other]);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains(&relay.authority) && stderr.contains("in use"),
        "{stderr}"
    );

    let file = stage.home().join("a-file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("dir").display().to_string();
    for command in [
        &["relay", "--listen", "127.0.0.1:0", "--data-dir", &below][..],
        &["relay", "token", "create", "ann", "--data-dir", &below],
        &[
            "listen",
            "3000",
            "--relay",
            "http://127.0.0.1:9",
            "--data-dir",
            &below,
        ],
    ] {
        let mut command = [command, &[]].concat();
        if command[0] == "listen" {
            command.extend(["--token", "pt_any"]);
        }
        let (code, _, stderr) = stage.run(&command);
        assert_eq!(code, 1, "{command:?}: {stderr}");
        assert!(stderr.contains("a-file"), "{command:?}: {stderr}");
    }

    let dir = stage.relay_dir();
    let (code, _, stderr) = stage.run(&["relay", "--listen", "127.0.0.1:0", "--data-dir", &dir]);
    assert_eq!(code, 1, "a second relay on the same folder: {stderr}");
    assert!(stderr.contains(&dir), "{stderr}");
}
