//! A relay with its own certificate, without a web server in front of it: agents and
//! senders over https, webhooks on a plain port, replaced certificates, and invalid ones.

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::Signal;

use crate::support::tls::{Authority, connect, exchange, peer_certificate};
use crate::support::{Relay, Service, Stage, eventually, form_post, pause, send};

/// A key with a passphrase, in OpenSSL's format before PKCS #8.
const SEALED_KEY: &str = "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF

MHcCAQEEIA==
-----END EC PRIVATE KEY-----
";

/// Starts a relay with a certificate.
async fn start_secured(stage: &Stage, [cert, key]: &[String; 2], options: &[&str]) -> Relay {
    let tls = ["--tls", "files", "--tls-cert", cert, "--tls-key", key];
    let options = [&tls[..], options].concat();
    stage.relay_with("127.0.0.1:0", &options).await
}

/// Posts a webhook over https.
async fn post(relay: &Relay, authority: &Authority, path: &str, body: &str) -> String {
    let stream = connect(&relay.authority, "127.0.0.1", &authority.file()).await;
    let head = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    let head = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    exchange(stream.unwrap(), head.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_come_by_https_and_by_http_and_the_agent_by_https_alone() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let authority = Authority::new(stage.home());
    let files = authority.issue(|_| {});
    let relay = start_secured(&stage, &files, &["--http-listen", "127.0.0.1:0"]).await;
    let token = stage.token("ann");
    let https = format!("https://{}", relay.authority);
    let trust = ["--ca-file", &authority.file()];
    let (mut agent, url) = stage.agent(&https, &token, service.address(), &trust).await;
    assert!(url.starts_with(&https), "{url}");
    let path = url.strip_prefix(&https).unwrap();

    let answer = post(&relay, &authority, path, "type=item.update&item_id=1").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let plain = relay.http.as_ref().unwrap();
    let answer = form_post(
        &format!("http://{plain}{path}"),
        b"type=item.update&item_id=2",
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(stage.wait_until_settled(&[], 2).len(), 2);

    // The token must not be sent unencrypted.
    agent.terminate();
    agent.wait_for_end().await;
    let plain = format!("http://{plain}");
    let mut refused = stage.start_agent(&plain, &token, service.address(), &[]);
    assert!(!refused.wait_for_end().await.success());
    assert!(
        refused.stderr().contains("https://"),
        "{}",
        refused.stderr()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_says_of_itself_is_replaced_and_never_believed() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let authority = Authority::new(stage.home());
    let files = authority.issue(|_| {});
    let public = ["--public-url", "https://127.0.0.1"];
    let options = [&["--http-listen", "127.0.0.1:0"][..], &public].concat();
    let relay = start_secured(&stage, &files, &options).await;
    let token = stage.token("ann");
    let https = format!("https://{}", relay.authority);
    let trust = ["--ca-file", &authority.file()];
    let (_agent, url) = stage.agent(&https, &token, service.address(), &trust).await;
    let (_, key) = url.trim_end_matches('/').rsplit_once('/').unwrap();

    // No proxy is in front of this relay, so this machine's address counts as a sender's.
    let said = [
        ("x-forwarded-for", "198.51.100.7"),
        ("x-forwarded-host", "bank.example"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-port", "22"),
        ("forwarded", "for=198.51.100.7;proto=gopher"),
        ("x-real-ip", "198.51.100.7"),
        ("podtap-event-id", "01AAAAAAAAAAAAAAAAAAAAAAAA"),
        ("podtap-attempt", "99"),
        ("podtap-replay", "true"),
        ("podtap-anything", "1"),
    ];
    let body = "type=item.update&item_id=1";
    let mut head = format!("POST /{key}/hook HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    for (name, value) in said {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let webhook = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let stream = connect(&relay.authority, "127.0.0.1", &authority.file()).await;
    let answer = exchange(stream.unwrap(), webhook.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let plain = relay.http.as_ref().unwrap();
    assert_eq!(send(plain, webhook.as_bytes()).await.status, 200);

    let events = stage.wait_until_settled(&[], 2);
    for received in service.wait_for(2).await {
        let header = |name: &str| -> Vec<String> {
            let values = received.header(name).into_iter();
            values
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        assert_eq!(header("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(header("x-forwarded-host"), ["127.0.0.1"]);
        assert_eq!(header("x-forwarded-proto"), ["https"]);
        assert_eq!(header("podtap-attempt"), ["1"]);
        let id = header("podtap-event-id").remove(0);
        assert!(
            events.iter().any(|event| event["id"] == id.as_str()),
            "{id}"
        );
        assert_eq!(header("podtap-replay"), ["false"]);
        assert_eq!(header("x-real-ip"), ["127.0.0.1"], "for who asks for it");
        for gone in ["x-forwarded-port", "forwarded", "podtap-anything"] {
            assert_eq!(header(gone), [""; 0], "{gone}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_by_itself_or_on_sighup_and_a_bad_one_is_not() {
    let stage = Stage::new();
    let authority = Authority::new(stage.home());
    let files = authority.issue(|_| {});
    let mut relay = start_secured(&stage, &files, &[]).await;
    let (address, trusted) = (relay.authority.clone(), authority.file());
    let now =
        || async { peer_certificate(&connect(&address, "127.0.0.1", &trusted).await.unwrap()) };
    let first = now().await;

    authority.issue(|_| {});
    relay.process.signal(Signal::HUP);
    let mut second = now().await;
    while second == first {
        pause(Duration::from_millis(50)).await;
        second = now().await;
    }

    // This time without a signal.
    authority.issue(|_| {});
    let mut third = now().await;
    while third == second {
        pause(Duration::from_millis(50)).await;
        third = now().await;
    }

    // Each invalid pair is reported with its fault, and changes nothing.
    let mut lines = relay.process.stderr().lines().count();
    let [certificate, key] = &files;
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 2);
    for (fault, words) in [
        ("key", "has no private key"),
        ("gone", "cert.pem cannot be read"),
        ("expired", "cert.pem expired at 2020-01-02"),
        ("match", "does not belong to the certificate"),
    ] {
        match fault {
            "key" => std::fs::write(key, "not a key").unwrap(),
            "gone" => std::fs::remove_file(certificate).unwrap(),
            "expired" => drop(authority.issue(expired)),
            _ => {
                authority.issue(|_| {});
                std::fs::write(key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
            }
        }
        relay.process.signal(Signal::HUP);
        let new = || {
            let log = relay.process.stderr();
            let new: Vec<_> = log.lines().skip(lines).map(str::to_owned).collect();
            new.join("\n")
        };
        let told = || {
            let new = new();
            (new.contains("keeps the old one") && new.contains(words)).then_some(())
        };
        eventually(words, told, || relay.process.stderr()).await;
        lines = relay.process.stderr().lines().count();
        assert_eq!(now().await, third, "{fault}");
    }
    relay.process.terminate();
    assert_eq!(relay.process.wait_for_end().await.code(), Some(143));
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_the_relay_from_starting_and_is_explained() {
    let stage = Stage::new();
    let authority = Authority::new(stage.home());
    let start = |cert: &str, key: &str| {
        let fixed = [
            "relay",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &stage.relay_dir(),
        ];
        let tls = ["--tls", "files", "--tls-cert", cert, "--tls-key", key];
        let (code, stdout, stderr) = stage.run(&[&fixed[..], &tls].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        stderr
    };
    let ended = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 2);
    let [cert, key] = authority.issue(ended);
    let told = start(&cert, &key);
    assert!(
        told.contains("cert.pem expired at 2020-01-02") && told.contains("renew"),
        "{told}"
    );

    let told = start(&authority.file(), &key);
    assert!(
        told.contains("does not belong to the certificate"),
        "{told}"
    );
    assert!(
        told.contains("authority.pem") && told.contains("key.pem"),
        "{told}"
    );
    // Root can read any file, so the unreadable file is tested in `pem_file`.
    let home = stage.home();
    let [good_cert, good_key] = authority.issue(|_| {});
    let path = |name: &str| home.join(name).display().to_string();
    std::fs::create_dir(home.join("folder.pem")).unwrap();
    std::fs::write(home.join("empty.pem"), "").unwrap();
    std::fs::write(home.join("text.pem"), "not PEM at all").unwrap();
    std::fs::write(home.join("binary.der"), [0x30, 0x82, 1, 2]).unwrap();
    std::fs::write(home.join("sealed.pem"), SEALED_KEY).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(path("pipe.pem"))
        .status();
    assert!(made.unwrap().success());
    for (name, words, of_key) in [
        ("missing.pem", "No such file", "No such file"),
        ("folder.pem", "it is a folder", "it is a folder"),
        ("pipe.pem", "it is a pipe", "it is a pipe"),
        ("empty.pem", "has no certificate", "has no private key"),
        ("text.pem", "has no certificate", "has no private key"),
        ("binary.der", "not in PEM format", "not in PEM format"),
        (
            "sealed.pem",
            "has no certificate",
            "encrypted with a passphrase",
        ),
    ] {
        for (told, words) in [
            (start(&path(name), &good_key), words),
            (start(&good_cert, &path(name)), of_key),
        ] {
            assert!(told.contains(name) && told.contains(words), "{told}");
            assert!(told.contains("try"), "what to do: {told}");
        }
    }
}
