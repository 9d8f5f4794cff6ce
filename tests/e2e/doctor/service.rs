//! The local service: away, elsewhere, or a port with nothing behind it.

use std::net::{Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Said;
use crate::support::{Service, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_told() {
    let stage = Stage::new();
    let service = Service::start().await;
    let gone = service.address().to_string();
    drop(service);
    let said = Said::of(&stage, &["--forward-to", &gone], &[]);
    said.breaks_at("service", "connection refused", &[]);
    said.has("service", "failed", &gone);

    let said = Said::of(&stage, &["--forward-to", "http://nothing.invalid:80"], &[]);
    said.breaks_at("service", "", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_the_other_ip_version_is_found() {
    let stage = Stage::new();
    let any = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let Ok(listener) = TcpListener::bind(any).await else {
        eprintln!("skipped: this machine has no IPv6");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let said = Said::of(&stage, &["--forward-to", &format!("127.0.0.1:{port}")], &[]);
    said.breaks_at("service", "127.0.0.1", &[]);
    let fix = said.fix("service");
    assert!(fix.contains(&format!("http://[::1]:{port}")), "{fix}");

    // By its name it is reached on either.
    let said = Said::of(&stage, &["--forward-to", &port.to_string()], &[]);
    said.has("service", "ok", "[::1]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_with_nothing_behind_it_is_not_a_service() {
    let stage = Stage::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut closing = JoinSet::new();
    closing.spawn(async move { while listener.accept().await.is_ok() {} });
    let said = Said::of(&stage, &["--forward-to", &address], &[]);
    said.breaks_at("service", "closes them at once", &[]);
}
