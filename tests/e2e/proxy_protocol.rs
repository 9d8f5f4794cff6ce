//! A relay behind Debian's haproxy, which forwards
//! connections unchanged and reports their addresses.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::tls::{Authority, connect_over};
use crate::support::{DEADLINE, Process, Service, Stage, eventually, pause, script, split_url};

/// The sender's address, which differs from the proxy's.
const SENDER: &str = "127.0.0.9";

fn haproxy(stage: &Stage, relay: &str, send: &str) -> (Process, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let file = stage.home().join(format!("{send}.cfg"));
    let config = format!(
        "defaults
  mode tcp
  timeout connect 2s
  timeout client 1m
  timeout server 1m
frontend public
  bind {address}
  default_backend relays
backend relays
  server relay {relay} source 127.0.0.1 {send}
"
    );
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("/usr/sbin/haproxy");
    command.args(["-db", "-f"]).arg(&file);
    (Process::spawn(command), address)
}

/// Connects through the proxy from the sender's address.
async fn through(proxy: SocketAddr) -> TcpStream {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{SENDER}:0").parse().unwrap()).unwrap();
        match socket.connect(proxy).await {
            Ok(stream) => return stream,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        pause(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_hears_who_sends_through_haproxy_with_and_without_tls() {
    let program = Path::new("/usr/sbin/haproxy");
    if !script::available(
        "bash",
        Some(program),
        "install haproxy to try the PROXY protocol",
    ) {
        return;
    }
    for (send, is_tls) in [
        ("send-proxy", false),
        ("send-proxy-v2", false),
        ("send-proxy-v2", true),
    ] {
        let (stage, service) = (Stage::new(), Service::start().await);
        let authority = Authority::new(stage.home());
        let [cert, key] = authority.issue(|_| {});
        let mut options = vec!["--proxy-protocol", "--trusted-proxy", "127.0.0.1"];
        if is_tls {
            options.extend(["--tls", "files", "--tls-cert", &cert, "--tls-key", &key]);
        }
        let relay = stage.relay_with("127.0.0.1:0", &options).await;
        let (_proxy, address) = haproxy(&stage, &relay.authority, send);
        drop(through(address).await);
        let token = stage.token("ann");
        let scheme = if is_tls { "https" } else { "http" };
        // The agent connects through the proxy as well.
        let url = format!("{scheme}://{address}");
        let trust = ["--ca-file", &authority.file()];
        let (_agent, url) = stage.agent(&url, &token, service.address(), &trust).await;
        let http = url.replace("https://", "http://");
        let (_, path) = split_url(&http);

        let stream = through(address).await;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 198.51.100.1\r\n\
             podtap-attempt: 9\r\nconnection: close\r\ncontent-length: 16\r\n\r\ntype=item.update"
        );
        let mut answer = Vec::new();
        if is_tls {
            let mut stream = connect_over(stream, "127.0.0.1", &authority.file())
                .await
                .unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_to_end(&mut answer).await.ok();
        } else {
            let mut stream = stream;
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_to_end(&mut answer).await.ok();
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{send}: {answer}");

        let received = || service.requests().into_iter().next();
        let received = eventually("the webhook", received, || relay.process.stderr()).await;
        assert_eq!(
            received.header("x-forwarded-for"),
            [SENDER.as_bytes()],
            "{send}"
        );
        assert_eq!(received.header("podtap-attempt"), [b"1"], "{send}");
    }
}
