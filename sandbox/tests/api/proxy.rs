//! Tests the client's calls through a proxy.

use std::net::{Ipv4Addr, SocketAddr};

use podtap_podio::client::{Client, Error, PodioClientConfig as ClientConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{RunningSandbox, app};
use podtap_testing::calls::ORDERS;

/// Starts a SOCKS 5 proxy on loopback without a password (RFC 1928), for IPv4 addresses.
async fn socks5() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut connections = JoinSet::new();
    connections.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            open.spawn(async move {
                let mut methods = [0; 3];
                near.read_exact(&mut methods).await.unwrap();
                near.write_all(&[5, 0]).await.unwrap();
                let mut request = [0; 10];
                near.read_exact(&mut request).await.unwrap();
                let [head @ .., a, b, c, d, high, low] = request;
                assert_eq!(head, [5, 1, 0, 1]);
                let port = u16::from_be_bytes([high, low]);
                let to = SocketAddr::from((Ipv4Addr::new(a, b, c, d), port));
                let mut far = TcpStream::connect(to).await.unwrap();
                let made = [5, 0, 0, 1, 127, 0, 0, 1, 0, 0];
                near.write_all(&made).await.unwrap();
                copy_bidirectional(&mut near, &mut far).await.ok();
            });
        }
    });
    (address, connections)
}

#[tokio::test]
async fn podio_is_reached_through_a_socks_proxy() {
    let sandbox = RunningSandbox::new().await;
    let (address, _proxy) = socks5().await;
    let client = Client::new(ClientConfig {
        proxy: Some(format!("socks5://{address}").parse().unwrap()),
        ..sandbox.config(app())
    });
    let orders = client.unwrap().app(ORDERS).await.unwrap();
    assert_eq!(orders.config.name, "Orders");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_with_what_helps() {
    let sandbox = RunningSandbox::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut refusing = JoinSet::new();
    refusing.spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut head = [0; 1_024];
        assert!(near.read(&mut head).await.unwrap() > 0);
        let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
        near.write_all(refusal).await.unwrap();
    });
    let client = Client::new(ClientConfig {
        proxy: Some(format!("http://{address}").parse().unwrap()),
        ..sandbox.config(app())
    });
    let error = client.unwrap().app(ORDERS).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    assert_eq!(
        cause.to_string(),
        "the proxy does not allow connections to 127.0.0.1 (403): ask the operator of the proxy"
    );
}
