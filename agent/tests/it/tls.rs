//! Tests local services and relays with https and a
//! self-signed certificate, as `openssl req -x509` creates it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::relay::TestRelay;
use crate::support::running::{RunningAgent, append};
use crate::support::{DEADLINE, browsing, delivering, eventually, item_update};
use podtap_agent::config::LinkConfig;
use podtap_agent::history::{DeliveryState, History};
use podtap_agent::{AgentConfig, LinkState, ServiceState};
use podtap_connect::tls::{Trust, certificates};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Creates a certificate for this name or address; returns `false` if openssl is not installed.
fn certificate(folder: &Path, name: &str) -> bool {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ])
        .args(["-addext", &format!("subjectAltName={name}")])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    let made = made.is_ok_and(|status| status.success());
    if !made {
        eprintln!("skipped: openssl is not installed");
    }
    made
}

/// Returns TLS with the certificate of this folder.
fn acceptor(folder: &Path) -> TlsAcceptor {
    let chain = certificates(&std::fs::read(folder.join("cert.pem")).unwrap()).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Answers every request over TLS with 200.
async fn https(folder: &Path) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    https_on(folder, listener)
}

/// Answers every request over TLS on this listener with 200.
fn https_on(folder: &Path, listener: TcpListener) -> (SocketAddr, JoinSet<()>) {
    let acceptor = acceptor(folder);
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            connections.spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = vec![0; 4096];
                if stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    stream.write_all(answer).await.ok();
                    stream.shutdown().await.ok();
                }
            });
        }
    });
    (address, serving)
}

/// An agent with one event that waits for this local service.
struct Waiting {
    agent: RunningAgent,
    _folder: TempDir,
}

impl Waiting {
    async fn start(target: &str, trust: Trust) -> Self {
        let folder = TempDir::new().unwrap();
        append(&folder, vec![item_update(1, 1)]).await;
        let nobody = ([127, 0, 0, 1], 1).into();
        let config = AgentConfig {
            target: Some(target.parse().unwrap()),
            trust,
            ..delivering(&folder, nobody)
        };
        Self {
            agent: RunningAgent::start(config),
            _folder: folder,
        }
    }

    /// Returns why the local service is down, as reported once: nothing changes while it is probed.
    async fn reason(&self) -> String {
        let mut status = self.agent.handle.status();
        let down = status.wait_for(|status| matches!(status.service, ServiceState::Down { .. }));
        let down = tokio::time::timeout(DEADLINE, down)
            .await
            .unwrap()
            .unwrap()
            .clone();
        let ServiceState::Down { reason, .. } = &down.service else {
            panic!("{down:?}");
        };
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert_eq!(status.borrow().service, down.service);
        }
        let history: &History = self.agent.handle.history();
        let id = history.find("0").await.unwrap();
        let attempts = history.attempts(*id.first().unwrap()).await.unwrap();
        assert_eq!(attempts, [], "an event that never arrived has no attempt");
        reason.clone()
    }

    async fn wait_for_delivery(&self) {
        eventually("it is delivered", || async {
            let history = self.agent.handle.history();
            let id = history.find("0").await.unwrap();
            let event = history.event(*id.first().unwrap()).await.unwrap().unwrap();
            match event.state {
                DeliveryState::Delivered => Ok(()),
                _ => Err(format!("{:?}", self.agent.handle.status().borrow().service)),
            }
        })
        .await;
    }
}

fn trusting(folder: &Path) -> Trust {
    Trust {
        certificates: certificates(&std::fs::read(folder.join("cert.pem")).unwrap()).unwrap(),
        insecure_local: false,
    }
}

#[tokio::test]
async fn a_certificate_of_its_own_is_taken_as_soon_as_a_person_says_so() {
    let folder = TempDir::new().unwrap();
    if !certificate(folder.path(), "DNS:localhost,IP:127.0.0.1") {
        return;
    }
    let (address, _serving) = https(folder.path()).await;
    let target = format!("https://{address}");

    let reason = Waiting::start(&target, Trust::default())
        .await
        .reason()
        .await;
    assert!(reason.contains("self-signed"), "{reason}");
    assert!(
        reason.contains("--ca-file") && reason.contains("--insecure-local"),
        "{reason}"
    );

    Waiting::start(&target, trusting(folder.path()))
        .await
        .wait_for_delivery()
        .await;
    let insecure = Trust {
        insecure_local: true,
        ..Trust::default()
    };
    Waiting::start(&target, insecure)
        .await
        .wait_for_delivery()
        .await;
}

#[tokio::test]
async fn any_certificate_is_taken_from_this_machine_and_from_no_other() {
    let folder = TempDir::new().unwrap();
    if !certificate(folder.path(), "DNS:elsewhere.test") {
        return;
    }
    let insecure = Trust {
        insecure_local: true,
        ..Trust::default()
    };
    let (address, _serving) = https(folder.path()).await;
    let port = address.port();
    for host in ["127.0.0.1", "localhost"] {
        let target = format!("https://{host}:{port}");
        Waiting::start(&target, insecure.clone())
            .await
            .wait_for_delivery()
            .await;
    }
    match TcpListener::bind("[::1]:0").await {
        Ok(listener) => {
            let (address, _serving) = https_on(folder.path(), listener);
            let target = format!("https://{address}");
            Waiting::start(&target, insecure.clone())
                .await
                .wait_for_delivery()
                .await;
        }
        Err(error) => eprintln!("skipped: no IPv6 here: {error}"),
    }
    let far = Waiting::start("https://192.168.255.254:3000", insecure).await;
    let reason = far.reason().await;
    assert!(reason.contains("this machine only"), "{reason}");
    assert!(reason.contains("--ca-file"), "{reason}");
}

#[tokio::test]
async fn a_trusted_certificate_is_good_for_its_own_name_only() {
    let folder = TempDir::new().unwrap();
    if !certificate(folder.path(), "DNS:elsewhere.test") {
        return;
    }
    let (address, _serving) = https(folder.path()).await;
    let waiting = Waiting::start(&format!("https://{address}"), trusting(folder.path())).await;
    let reason = waiting.reason().await;
    assert!(reason.contains("another name"), "{reason}");
}

#[tokio::test]
async fn http_where_https_is_spoken_is_told_and_costs_no_event() {
    let folder = TempDir::new().unwrap();
    if !certificate(folder.path(), "IP:127.0.0.1") {
        return;
    }
    let (address, _serving) = https(folder.path()).await;
    let reason = Waiting::start(&format!("http://{address}"), Trust::default())
        .await
        .reason()
        .await;
    assert!(reason.contains("https://"), "{reason}");
}

#[tokio::test]
async fn https_where_http_is_spoken_is_told_and_costs_no_event() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("https://{}", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // As HTTP servers do with a request that they cannot parse.
            drop(stream.read(&mut [0; 4096]).await);
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .ok();
        }
    });
    let trust = Trust {
        insecure_local: true,
        ..Trust::default()
    };
    let reason = Waiting::start(&target, trust).await.reason().await;
    assert!(reason.contains("http://"), "{reason}");
}

/// Puts TLS in front of a relay, with the current certificate of `acceptor`.
async fn before(relay: SocketAddr, acceptor: Arc<Mutex<TlsAcceptor>>) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            let acceptor = acceptor.lock().unwrap().clone();
            connections.spawn(async move {
                let Ok(mut near) = acceptor.accept(near).await else {
                    return;
                };
                let mut far = TcpStream::connect(relay).await.unwrap();
                tokio::io::copy_bidirectional(&mut near, &mut far)
                    .await
                    .ok();
            });
        }
    });
    (address, serving)
}

#[tokio::test]
async fn a_relay_whose_certificate_is_wrong_is_there_once_it_has_a_right_one() {
    let (wrong, right) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let name = "DNS:localhost,IP:127.0.0.1";
    if !certificate(wrong.path(), name) || !certificate(right.path(), name) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut relay = TestRelay::start().await;
    let token = relay.token("ann").await;
    let certificate = Arc::new(Mutex::new(acceptor(wrong.path())));
    let (address, _serving) = before(relay.address, Arc::clone(&certificate)).await;

    let url = format!("https://{address}").parse().unwrap();
    let link = LinkConfig::new(url, token.into(), "crm".parse().unwrap());
    let running = RunningAgent::start(AgentConfig {
        link: Some(link),
        trust: trusting(right.path()),
        ..browsing(&folder)
    });
    let mut status = running.handle.status();
    let told = status.wait_for(|status| match &status.link {
        LinkState::Connecting {
            attempt,
            reason: Some(reason),
            ..
        } => {
            assert!(
                reason.contains("its certificate is not trusted"),
                "{reason}"
            );
            *attempt >= 2
        }
        LinkState::Up { .. } => panic!("any certificate is taken"),
        _ => false,
    });
    let told = tokio::time::timeout(DEADLINE, told).await;
    assert!(told.is_ok_and(|told| told.is_ok()), "never told");
    *certificate.lock().unwrap() = acceptor(right.path());

    let up = status.wait_for(|status| matches!(status.link, LinkState::Up { .. }));
    let up = tokio::time::timeout(DEADLINE, up).await;
    assert!(up.is_ok_and(|up| up.is_ok()), "never over");
    running.stop().await;
    relay.stop().await;
}
