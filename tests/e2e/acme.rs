//! A relay that orders its certificate from Debian's pebble, a certificate authority for tests.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{Certificate, CertificateParams, KeyPair, date_time_ymd};
use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::tls::{Authority, connect, exchange, peer_certificate};
use crate::support::{
    DEADLINE, Process, Relay, Stage, eventually, own_port, pause, post, script, send,
};

const DOMAIN: &str = "hooks.example.test";
const OTHER: &str = "www.example.test";
const REFUSED: &str = "refused.example.test";

/// A certificate authority that validates a relay on this machine under any name.
struct Pebble {
    stage: Stage,
    authority: Authority,
    api: u16,
    management: u16,
    relay: u16,
    names: Process,
    dns: u16,
    control: u16,
}

impl Pebble {
    /// Creates its files and its name server; returns `None` if pebble is not installed.
    fn new() -> Option<Self> {
        // Pebble has no `--version`; this is where Debian installs it.
        let program = Path::new("/usr/bin/pebble");
        let is_there = script::available("bash", Some(program), "install pebble to try ACME");
        if !is_there {
            return None;
        }
        let stage = Stage::new();
        let authority = Authority::new(stage.home());
        let [api, management, relay, dns, control] = [(); 5].map(|()| own_port());
        let [cert, key] = authority.issue(|_| {});
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{api}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": cert,
            "privateKey": key,
            "httpPort": 1,
            "tlsPort": relay,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "domainBlocklist": [REFUSED],
        }});
        std::fs::write(stage.home().join("pebble.json"), config.to_string()).unwrap();
        let mut names = Command::new("pebble-challtestsrv");
        names
            .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""])
            .args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
            .args(["-dns01", &format!("127.0.0.1:{dns}")])
            .args(["-management", &format!("127.0.0.1:{control}")]);
        Some(Self {
            names: Process::spawn(names),
            stage,
            authority,
            api,
            management,
            relay,
            dns,
            control,
        })
    }

    /// Sets the address of a name.
    async fn lead(&self, name: &str, address: &str) {
        let entry = serde_json::json!({"host": name, "addresses": [address]});
        for what in ["clear-a", "add-a"] {
            let url = format!("http://127.0.0.1:{}/{what}", self.control);
            let answer = post(&url, &[], entry.to_string().as_bytes()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    fn start(&self) -> Process {
        let mut pebble = Command::new("pebble");
        pebble
            .args(["-config", "pebble.json", "-strict"])
            .args(["-dnsserver", &format!("127.0.0.1:{}", self.dns)])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .current_dir(self.stage.home());
        Process::spawn(pebble)
    }

    /// Writes its root certificate to a file and returns the path.
    async fn root(&self) -> String {
        let management = format!("127.0.0.1:{}", self.management);
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let stream = loop {
            match connect(&management, "127.0.0.1", &self.authority.file()).await {
                Ok(stream) => break stream,
                Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
            }
            pause(Duration::from_millis(50)).await;
        };
        let request = b"GET /roots/0 HTTP/1.1\r\nhost: pebble\r\nconnection: close\r\n\r\n";
        let answer = exchange(stream, request).await;
        let (_, root) = answer.split_once("\r\n\r\n").unwrap();
        let file = self.stage.home().join("root.pem");
        std::fs::write(&file, root).unwrap();
        file.display().to_string()
    }

    async fn relay(&self, domains: &[&str]) -> Relay {
        let domains = domains.join(",");
        let directory = format!("https://127.0.0.1:{}/dir", self.api);
        let listen = format!("127.0.0.1:{}", self.relay);
        let ca = self.authority.file();
        let options = [
            "--tls",
            "acme",
            "--acme-domain",
            &domains,
            "--acme-contact",
            "ann@example.com",
            "--acme-directory",
            &directory,
            "--acme-ca",
            &ca,
            "--http-listen",
            "127.0.0.1:0",
        ];
        self.stage.relay_with(&listen, &options).await
    }

    fn kept_folder(&self) -> PathBuf {
        Path::new(&self.stage.relay_dir()).join("acme-certificate.pem")
    }

    /// Stores a certificate that is due for renewal, for the next relay, as if that had ordered it.
    fn keep_an_old_one(&self) -> Certificate {
        let mut params = CertificateParams::new(vec![DOMAIN.to_owned()]).unwrap();
        let now = jiff::Timestamp::now().as_second().unsigned_abs();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(now + 24 * 60 * 60);
        let key = KeyPair::generate().unwrap();
        let old = params.self_signed(&key).unwrap();
        std::fs::create_dir_all(self.stage.relay_dir()).unwrap();
        std::fs::write(self.kept_folder(), key.serialize_pem() + &old.pem()).unwrap();
        old
    }
}

/// Waits until a relay's log contains these words, and returns the log.
async fn says(relay: &Relay, words: &str) -> String {
    let told = || Some(relay.process.stderr()).filter(|log| log.contains(words));
    eventually(words, told, || relay.process.stderr()).await
}

/// Waits until a relay's certificate is from this root, and returns it.
async fn certificate(relay: &Relay, root: &str) -> Vec<u8> {
    certificate_for(DOMAIN, relay, root).await
}

/// Waits for a certificate from this root for one of the relay's names, and returns it.
async fn certificate_for(name: &str, relay: &Relay, root: &str) -> Vec<u8> {
    let deadline = tokio::time::Instant::now() + 2 * DEADLINE;
    loop {
        match connect(&relay.authority, name, root).await {
            Ok(stream) => return peer_certificate(&stream),
            Err(error) => {
                let log = relay.process.stderr();
                assert!(tokio::time::Instant::now() < deadline, "{error}\n{log}");
            }
        }
        pause(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_ordered_once_the_authority_is_there_and_kept_over_a_restart() {
    let Some(pebble) = Pebble::new() else { return };
    let mut relay = pebble.relay(&[DOMAIN]).await;
    says(&relay, "directory cannot be reached").await;
    // Meanwhile, requests without TLS work.
    let http = relay.http.clone().unwrap();
    let ready = format!("GET /-/readyz HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n\r\n");
    assert_eq!(send(&http, ready.as_bytes()).await.status, 200);

    // Handshakes that never end must not block others.
    let mut stuck = Vec::new();
    for start in [&[][..], &[0x16, 3, 1, 2, 0, 1, 0, 1]] {
        let mut half = TcpStream::connect(&relay.authority).await.unwrap();
        half.write_all(start).await.unwrap();
        stuck.push(half);
    }
    let mut authority = pebble.start();
    let root = pebble.root().await;
    let first = certificate(&relay, &root).await;
    let kept = || pebble.kept_folder().is_file().then_some(());
    eventually("the file", kept, || relay.process.stderr()).await;
    for file in ["acme-certificate.pem", "acme-account.json"] {
        let file = pebble.kept_folder().with_file_name(file);
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let until = relay
        .metric("podtap_certificate_expiry_timestamp_seconds")
        .await;
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    assert!(until > now, "{until}");

    authority.kill();
    relay.process.terminate();
    relay.process.wait_for_end().await;
    let relay = pebble.relay(&[DOMAIN]).await;
    assert_eq!(certificate(&relay, &root).await, first);
    assert!(
        !relay.process.stderr().contains("ERROR"),
        "{}",
        relay.process.stderr()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_renewed_and_a_refused_name_is_told() {
    let Some(pebble) = Pebble::new() else { return };
    let _authority = pebble.start();
    let root = pebble.root().await;
    let refused = pebble.relay(&[REFUSED]).await;
    let log = says(&refused, "authority refused").await;
    assert!(log.contains(REFUSED), "{log}");
    drop(refused);

    let old = pebble.keep_an_old_one();
    let relay = pebble.relay(&[DOMAIN]).await;

    assert_ne!(certificate(&relay, &root).await, old.der().to_vec());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_names_share_a_certificate_and_one_that_leads_elsewhere_is_told() {
    let Some(pebble) = Pebble::new() else { return };
    let _authority = pebble.start();
    let root = pebble.root().await;
    // The relay at that address has a certificate but does not know about the order.
    pebble.lead(OTHER, "127.0.0.7").await;
    let elsewhere = Stage::new();
    let [cert, key] = Authority::new(elsewhere.home()).issue(|_| {});
    let files = ["--tls", "files", "--tls-cert", &cert, "--tls-key", &key];
    let there = format!("127.0.0.7:{}", pebble.relay);
    let _there = elsewhere.relay_with(&there, &files).await;

    let mut relay = pebble.relay(&[DOMAIN, OTHER]).await;
    let log = says(&relay, "could not verify").await;
    assert!(log.contains(&format!("could not verify {OTHER}")), "{log}");
    assert!(log.contains("resolves to this machine"), "{log}");
    assert!(!pebble.kept_folder().exists(), "not for some of the names");
    relay.process.terminate();
    relay.process.wait_for_end().await;

    pebble.lead(OTHER, "127.0.0.1").await;
    let relay = pebble.relay(&[DOMAIN, OTHER]).await;
    let one = certificate_for(DOMAIN, &relay, &root).await;
    assert_eq!(certificate_for(OTHER, &relay, &root).await, one);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_hangs_amid_an_order_is_given_up_and_asked_again() {
    let Some(pebble) = Pebble::new() else { return };
    let authority = pebble.start();
    let root = pebble.root().await;
    let old = pebble.keep_an_old_one();
    let kept = pebble.kept_folder();
    // Without the address of the relay, the authority validates nothing, so the order stays open.
    pebble.names.signal(Signal::STOP);
    let relay = pebble.relay(&[DOMAIN]).await;
    let is_ordered = |line: &String| line.contains("POST /chalZ");
    let ordered = || authority.stdout().iter().any(is_ordered).then_some(());
    eventually("the order", ordered, || authority.stdout().join("\n")).await;
    authority.signal(Signal::STOP);

    let trusted = pebble.stage.home().join("old.pem");
    std::fs::write(&trusted, old.pem()).unwrap();
    let trusted = trusted.display().to_string();
    let shown_meanwhile = connect(&relay.authority, DOMAIN, &trusted).await.unwrap();
    assert_eq!(peer_certificate(&shown_meanwhile), old.der().to_vec());
    let log = says(&relay, "certificate authority does not answer").await;
    assert!(log.contains("keeps the old one"), "{log}");

    pebble.names.signal(Signal::CONT);
    authority.signal(Signal::CONT);
    assert_ne!(certificate(&relay, &root).await, old.der().to_vec());
    let renewed = || {
        let text = std::fs::read_to_string(&kept).unwrap_or_default();
        (!text.contains(old.pem().trim())).then_some(())
    };
    eventually("the new file", renewed, || relay.process.stderr()).await;
}
