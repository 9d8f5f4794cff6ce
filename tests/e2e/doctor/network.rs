//! The network to the relay: DNS, a proxy, the connection, TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::DoctorOutput;
use crate::support::{Process, Service, Stage, eventually};

const TOKEN: (&str, &str) = ("PODTAP_TOKEN", "pt_aaaaaa_none");

#[test]
fn a_name_that_nothing_has_is_told() {
    let said = DoctorOutput::of(
        &Stage::new(),
        &["--relay", "https://hooks.invalid"],
        &[TOKEN],
    );
    said.breaks_at(
        "dns",
        "",
        &["proxy", "tcp", "tls", "relay", "token", "tunnel"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_refuses_is_told() {
    let service = Service::start().await;
    let gone = format!("http://{}", service.address());
    drop(service);
    let said = DoctorOutput::of(&Stage::new(), &["--relay", &gone], &[TOKEN]);
    said.has("proxy", "ok", "");
    let dependent = ["tls", "relay", "clock", "token", "websocket", "tunnel"];
    said.breaks_at("tcp", "connection refused", &dependent);
}

/// Starts a server that sends `answer` once per connection, without looking at the request.
async fn proxy(answer: &'static [u8]) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 4_096]).await.is_ok() {
                stream.write_all(answer).await.ok();
                stream.shutdown().await.ok();
            }
        }
    });
    (address, serving)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_leads_nowhere_is_told_without_its_password() {
    let (forbids, _serving) = proxy(b"HTTP/1.1 403 no\r\n\r\n").await;
    let (asks, _asking) = proxy(b"HTTP/1.1 407 who\r\n\r\n").await;
    let gone = Service::start().await.address();
    let stage = Stage::new();
    for (address, words) in [
        (forbids, "(403)"),
        (asks, "a user and a password"),
        (gone, "connection refused"),
    ] {
        let proxy = format!("http://ann:hunter2@{address}");
        let said = DoctorOutput::of(
            &stage,
            &["--relay", "https://hooks.example.com"],
            &[TOKEN, ("HTTPS_PROXY", &proxy)],
        );
        said.has("dns", "ok", "looked up by the proxy");
        said.breaks_at("proxy", words, &["tcp", "tls", "relay", "tunnel"]);
        assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    }
}

/// Starts an HTTPS server with a certificate of `openssl`; returns `None` if that was not made.
async fn https(folder: &Path, made: bool) -> Option<(Process, String)> {
    if !made {
        #[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
        {
            eprintln!("skipped: openssl is not installed");
        }
        return None;
    }
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-accept", "127.0.0.1:0", "-www"])
        .args(["-cert", "cert.pem", "-key", "key.pem"])
        .current_dir(folder);
    let server = Process::spawn(command);
    let listens = || {
        let lines = server.stdout();
        let address = lines.iter().find_map(|line| line.strip_prefix("ACCEPT "))?;
        Some(address.trim().to_owned())
    };
    let address = eventually("the server", listens, || server.stderr()).await;
    Some((server, format!("https://{address}")))
}

fn openssl(folder: &Path, args: &[&str]) -> bool {
    let output = Command::new("openssl")
        .args(args)
        .current_dir(folder)
        .output();
    output.is_ok_and(|output| output.status.success())
}

fn certificate(folder: &Path, name: &str) -> bool {
    let name = format!("subjectAltName={name}");
    let fixed = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=x",
        "-keyout", "key.pem", "-out", "cert.pem", "-addext", &name,
    ];
    openssl(folder, &fixed)
}

/// Creates a certificate that has expired.
fn expired_certificate(folder: &Path) -> bool {
    const CONFIG: &str = "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\n\
        default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n\
        [e]\nsubjectAltName=IP:127.0.0.1\n";
    std::fs::write(folder.join("ca.cnf"), CONFIG).unwrap();
    std::fs::write(folder.join("index.txt"), "").unwrap();
    std::fs::write(folder.join("serial"), "01\n").unwrap();
    let request = [
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=x",
        "-keyout",
        "key.pem",
        "-out",
        "request.pem",
    ];
    let sign = [
        "ca",
        "-config",
        "ca.cnf",
        "-batch",
        "-selfsign",
        "-in",
        "request.pem",
        "-keyfile",
        "key.pem",
        "-startdate",
        "20240101000000Z",
        "-enddate",
        "20250203000000Z",
        "-out",
        "cert.pem",
    ];
    openssl(folder, &request) && openssl(folder, &sign)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_trusted_is_told_with_what_is_wrong_in_it() {
    let stage = Stage::new();
    let folder = |name: &str| {
        let folder = stage.home().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let (own, other, old) = (folder("own"), folder("other"), folder("old"));
    let made = certificate(&own, "IP:127.0.0.1");
    let dependent = ["relay", "clock", "token", "websocket", "tunnel"];
    for (folder, made, trusted, words) in [
        (&own, made, false, "self-signed"),
        (
            &other,
            certificate(&other, "DNS:elsewhere.test"),
            true,
            "for another name: elsewhere.test",
        ),
        (
            &old,
            expired_certificate(&old),
            true,
            "expired, on 2025-02-03",
        ),
    ] {
        let Some((_server, url)) = https(folder, made).await else {
            return;
        };
        let file = folder.join("cert.pem").display().to_string();
        let mut args = vec!["--relay", &url];
        if trusted {
            args.extend(["--ca-file", &file]);
        }
        let said = DoctorOutput::of(&stage, &args, &[TOKEN]);
        said.has("tcp", "ok", "");
        said.breaks_at("tls", words, &dependent);
    }

    let Some((_server, url)) = https(&own, true).await else {
        return;
    };
    let file = own.join("cert.pem").display().to_string();
    let said = DoctorOutput::of(&stage, &["--relay", &url, "--ca-file", &file], &[TOKEN]);
    let days = ["29 more days", "30 more days"];
    let detail = said.link("tls")["detail"].as_str().unwrap();
    assert!(days.iter().any(|days| detail.contains(days)), "{said:?}");
    // The server behind this certificate is a web page, not a relay.
    said.breaks_at("relay", "web page", &["clock", "token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_where_https_is_called_is_told() {
    let service = Service::start().await;
    let url = format!("https://{}", service.address());
    let said = DoctorOutput::of(&Stage::new(), &["--relay", &url], &[TOKEN]);
    said.breaks_at("tls", "http://", &["relay"]);
}
