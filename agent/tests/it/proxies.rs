//! Tests the link through the kinds of proxies that networks have.

use std::net::{Ipv4Addr, SocketAddr};

use crate::support::browsing;
use crate::support::relay::TestRelay;
use crate::support::running::RunningAgent;
use podtap_agent::AgentConfig;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The protocol of a proxy.
#[derive(Clone, Copy)]
enum Kind {
    Http,
    Socks5,
}

/// Starts a proxy on loopback for one connection; returns its address, and later what it was asked.
async fn proxy(kind: Kind) -> (SocketAddr, JoinSet<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut proxying = JoinSet::new();
    proxying.spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let (asked, mut far) = match kind {
            Kind::Http => connect(&mut near).await,
            Kind::Socks5 => socks5(&mut near).await,
        };
        copy_bidirectional(&mut near, &mut far).await.ok();
        asked
    });
    (address, proxying)
}

async fn connect(near: &mut TcpStream) -> (Vec<u8>, TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await.unwrap());
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let far = TcpStream::connect(text.split(' ').nth(1).unwrap()).await;
    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    (head, far.unwrap())
}

/// Speaks RFC 1928 for an IPv4 address, with the password of RFC 1929.
async fn socks5(near: &mut TcpStream) -> (Vec<u8>, TcpStream) {
    let mut methods = [0; 3];
    near.read_exact(&mut methods).await.unwrap();
    assert_eq!(methods, [5, 1, 2], "a user and a password, nothing else");
    near.write_all(&[5, 2]).await.unwrap();
    let mut user = [0; 9];
    near.read_exact(&mut user).await.unwrap();
    near.write_all(&[1, 0]).await.unwrap();
    let mut request = [0; 10];
    near.read_exact(&mut request).await.unwrap();
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else {
        panic!("{request:?}")
    };
    let to = SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])));
    let far = TcpStream::connect(to).await.unwrap();
    near.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])
        .await
        .unwrap();
    (user.to_vec(), far)
}

/// Returns what an agent that connects through the proxy asks it.
async fn asked_on_the_way_to(relay: &TestRelay, kind: Kind, scheme: &str) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let (address, mut proxying) = proxy(kind).await;
    let mut link = relay.link().await;
    link.proxy = Some(format!("{scheme}://me:p%40ss@{address}").parse().unwrap());
    let running = RunningAgent::start(AgentConfig {
        link: Some(link),
        ..browsing(&folder)
    });

    running.up().await;
    running.stop().await;

    proxying.join_next().await.unwrap().unwrap()
}

#[tokio::test]
async fn the_link_goes_through_a_proxy_that_wants_a_password() {
    let relay = TestRelay::start().await;
    let head = asked_on_the_way_to(&relay, Kind::Http, "http").await;
    let head = String::from_utf8(head).unwrap();
    assert!(
        head.starts_with(&format!("CONNECT {} HTTP/1.1", relay.address)),
        "{head}"
    );
    // `me:p@ss` in base64.
    assert!(
        head.to_lowercase()
            .contains("proxy-authorization: basic bwu6cebzcw=="),
        "{head}"
    );
}

#[tokio::test]
async fn the_link_goes_through_a_socks_proxy_that_wants_a_password() {
    let relay = TestRelay::start().await;
    let user = asked_on_the_way_to(&relay, Kind::Socks5, "socks5h").await;
    assert_eq!(user, b"\x01\x02me\x04p@ss");
}
