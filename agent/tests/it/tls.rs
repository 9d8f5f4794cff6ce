//! Local services, and relays, that speak https with a certificate of their own, as `openssl req -x509` makes it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{DEADLINE, browsing, delivering, eventually, history_of, item_update};
use podtap_agent::config::LinkConfig;
use podtap_agent::history::{DeliveryState, History, Writer};
use podtap_agent::{Agent, AgentConfig, AgentHandle, LinkState, RunError, ServiceState};
use podtap_connect::tls::{Trust, certificates};
use podtap_relay::tunnel::TokenStore;
use podtap_relay::{Relay, RelayConfig};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Makes a certificate for this name or address; `false` where there is no openssl.
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

/// TLS with the certificate of this folder.
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

/// The same, where this listens.
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
struct Running {
    handle: AgentHandle,
    _folder: TempDir,
    _agent: JoinSet<Result<(), RunError>>,
}

impl Running {
    async fn start(target: &str, trust: Trust) -> Self {
        let folder = TempDir::new().unwrap();
        let (writer, thread) = Writer::open(&history_of(&folder), |_| {}).unwrap();
        writer.append(vec![item_update(1, 1)]).await.unwrap();
        thread.close().await;
        let nobody = ([127, 0, 0, 1], 1).into();
        let config = AgentConfig {
            target: Some(target.parse().unwrap()),
            trust,
            ..delivering(&folder, nobody)
        };
        let (agent, handle) = Agent::open(config).unwrap();
        let mut running = JoinSet::new();
        running.spawn(agent.run(CancellationToken::new()));
        Self {
            handle,
            _folder: folder,
            _agent: running,
        }
    }

    /// Why the local service is away. Told once: nothing changes while it is probed.
    async fn reason(&self) -> String {
        let mut status = self.handle.status();
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
        let history: &History = self.handle.history();
        let id = history.find("0").await.unwrap();
        let attempts = history.attempts(*id.first().unwrap()).await.unwrap();
        assert_eq!(attempts, [], "an event that never arrived has no attempt");
        reason.clone()
    }

    async fn delivered(&self) {
        eventually("it is delivered", || async {
            let history = self.handle.history();
            let id = history.find("0").await.unwrap();
            let event = history.event(*id.first().unwrap()).await.unwrap().unwrap();
            match event.state {
                DeliveryState::Delivered => Ok(()),
                _ => Err(format!("{:?}", self.handle.status().borrow().service)),
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

    let reason = Running::start(&target, Trust::default())
        .await
        .reason()
        .await;
    assert!(reason.contains("self-signed"), "{reason}");
    assert!(
        reason.contains("--ca-file") && reason.contains("--insecure-local"),
        "{reason}"
    );

    Running::start(&target, trusting(folder.path()))
        .await
        .delivered()
        .await;
    let insecure = Trust {
        insecure_local: true,
        ..Trust::default()
    };
    Running::start(&target, insecure).await.delivered().await;
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
        Running::start(&target, insecure.clone())
            .await
            .delivered()
            .await;
    }
    match TcpListener::bind("[::1]:0").await {
        Ok(listener) => {
            let (address, _serving) = https_on(folder.path(), listener);
            let target = format!("https://{address}");
            Running::start(&target, insecure.clone())
                .await
                .delivered()
                .await;
        }
        Err(error) => eprintln!("skipped: no IPv6 here: {error}"),
    }
    let far = Running::start("https://192.168.255.254:3000", insecure).await;
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
    let running = Running::start(&format!("https://{address}"), trusting(folder.path())).await;
    let reason = running.reason().await;
    assert!(reason.contains("another name"), "{reason}");
}

#[tokio::test]
async fn http_where_https_is_spoken_is_told_and_costs_no_event() {
    let folder = TempDir::new().unwrap();
    if !certificate(folder.path(), "IP:127.0.0.1") {
        return;
    }
    let (address, _serving) = https(folder.path()).await;
    let reason = Running::start(&format!("http://{address}"), Trust::default())
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
            // As servers of HTTP do with what they cannot read.
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
    let reason = Running::start(&target, trust).await.reason().await;
    assert!(reason.contains("http://"), "{reason}");
}

/// TLS before a relay, with the certificate that it has at the moment.
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
    let (folder, relays) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut config = RelayConfig::new(relays.path());
    config.listen = ([127, 0, 0, 1], 0).into();
    let relay = Relay::bind(config).await.unwrap();
    let (end, mut running) = (CancellationToken::new(), JoinSet::new());
    let token = TokenStore::open(relays.path()).unwrap();
    let token = token.create("ann").await.unwrap().reveal().to_owned();
    let certificate = Arc::new(Mutex::new(acceptor(wrong.path())));
    let (address, _serving) = before(relay.local_addr(), Arc::clone(&certificate)).await;
    let ended = end.clone();
    running.spawn(async move { relay.run(ended).await.unwrap() });

    let url = format!("https://{address}").parse().unwrap();
    let link = LinkConfig::new(url, token.into(), "crm".parse().unwrap());
    let (agent, handle) = Agent::open(AgentConfig {
        link: Some(link),
        trust: trusting(right.path()),
        ..browsing(&folder)
    })
    .unwrap();
    let ended = end.clone();
    running.spawn(async move { agent.run(ended).await.unwrap() });
    let mut status = handle.status();
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
    end.cancel();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}
