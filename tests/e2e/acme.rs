//! A relay that orders its certificate by itself, from Debian's pebble, an authority for tests.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::support::tls::{Authority, connect, exchange, shown};
use crate::support::{DEADLINE, Process, Relay, Stage, eventually, pause, script, send};

const DOMAIN: &str = "hooks.example.test";
const REFUSED: &str = "refused.example.test";

/// Free ports for programs that cannot choose one by themselves.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// An authority that looks at a relay on this machine, whatever its name.
struct Pebble {
    stage: Stage,
    authority: Authority,
    api: u16,
    management: u16,
    relay: u16,
    _names: Process,
    dns: u16,
}

impl Pebble {
    /// The files of it, and the names; `None` where it is not installed.
    fn new() -> Option<Self> {
        // It answers no `--version`; its file is where Debian has it.
        let program = Path::new("/usr/bin/pebble");
        let is_there = script::available("bash", Some(program), "install pebble to try ACME");
        if !is_there {
            return None;
        }
        let stage = Stage::new();
        let authority = Authority::new(stage.home());
        let [api, management, relay, dns, control] = free_ports();
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
            _names: Process::spawn(names),
            stage,
            authority,
            api,
            management,
            relay,
            dns,
        })
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

    /// Its root, in a file.
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

    async fn relay(&self, domain: &str) -> Relay {
        let directory = format!("https://127.0.0.1:{}/dir", self.api);
        let listen = format!("127.0.0.1:{}", self.relay);
        let ca = self.authority.file();
        let options = [
            "--tls",
            "acme",
            "--acme-domain",
            domain,
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

    fn kept(&self) -> PathBuf {
        Path::new(&self.stage.relay_dir()).join("acme-certificate.pem")
    }
}

/// The certificate that a relay shows, once it is one of this root.
async fn certificate(relay: &Relay, root: &str) -> Vec<u8> {
    let deadline = tokio::time::Instant::now() + 2 * DEADLINE;
    loop {
        match connect(&relay.authority, DOMAIN, root).await {
            Ok(stream) => return shown(&stream),
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
    let mut relay = pebble.relay(DOMAIN).await;
    let told = || {
        relay
            .process
            .stderr()
            .contains("directory cannot be reached")
            .then_some(())
    };
    eventually("a word", told, || relay.process.stderr()).await;
    // What needs no certificate works meanwhile.
    let http = relay.http.clone().unwrap();
    let ready = format!("GET /-/readyz HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n\r\n");
    assert_eq!(send(&http, ready.as_bytes()).await.status, 200);

    let mut authority = pebble.start();
    let root = pebble.root().await;
    let first = certificate(&relay, &root).await;
    let kept = || pebble.kept().is_file().then_some(());
    eventually("the file", kept, || relay.process.stderr()).await;
    for file in ["acme-certificate.pem", "acme-account.json"] {
        let file = pebble.kept().with_file_name(file);
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }

    authority.kill();
    relay.process.terminate();
    relay.process.ended().await;
    let relay = pebble.relay(DOMAIN).await;
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
    let refused = pebble.relay(REFUSED).await;
    let told = || {
        refused
            .process
            .stderr()
            .contains("authority refused")
            .then_some(())
    };
    eventually("the refusal", told, || refused.process.stderr()).await;
    assert!(
        refused.process.stderr().contains(REFUSED),
        "{}",
        refused.process.stderr()
    );
    drop(refused);

    // In its last third.
    let mut params = CertificateParams::new(vec![DOMAIN.to_owned()]).unwrap();
    let now = Duration::from_secs(jiff::Timestamp::now().as_second().unsigned_abs() + 24 * 60 * 60);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(1970, 1, 1) + now;
    let key = KeyPair::generate().unwrap();
    let old = params.self_signed(&key).unwrap();
    std::fs::write(pebble.kept(), key.serialize_pem() + &old.pem()).unwrap();
    let relay = pebble.relay(DOMAIN).await;

    assert_ne!(certificate(&relay, &root).await, old.der().to_vec());
}
