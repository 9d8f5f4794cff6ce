//! The states in `listen --json` of the agent's two connections, to the relay
//! and to the local service: once for each reason, not for each attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{Service, Stage, eventually, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn a_local_service_that_goes_and_comes_back_is_one_line_each() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let address = service.address();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (agent, url) = stage.agent(&relay.url(), &token, address, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    service.wait_for(1).await;
    assert!(agent.objects("service").is_empty(), "it was never away");

    drop(service);
    form_post(&url, b"type=item.create&item_id=2").await;
    let down = agent
        .object("service", |line| line["state"] == "down")
        .await;
    assert!(down["reason"].is_string(), "{down}");

    let service = Service::back_at(address).await;
    let up = agent.object("service", |line| line["state"] == "up").await;
    assert!(up["reason"].is_null(), "{up}");
    service.wait_for(1).await;
    let ups = agent.objects("service");
    let ups = ups.iter().filter(|line| line["state"] == "up").count();
    assert_eq!(ups, 1, "{:?}", agent.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_instead_of_the_relay_is_one_line_however_often_it_is_tried() {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let portal = format!("http://{}", listener.local_addr().unwrap());
    let (is_open, tries) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut serving = JoinSet::new();
    let (opened, tried) = (Arc::clone(&is_open), Arc::clone(&tries));
    let authority = relay.authority.clone();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            tried.fetch_add(1, Ordering::SeqCst);
            let (is_open, authority) = (opened.load(Ordering::SeqCst), authority.clone());
            connections.spawn(async move {
                if is_open {
                    let mut far = TcpStream::connect(authority).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                } else if near.read(&mut [0; 4096]).await.is_ok() {
                    let _ = near.write_all(ANSWER).await;
                }
            });
        }
    });

    let agent = stage.start_agent(&portal, &token, service.address(), &[]);
    let enough = || (tries.load(Ordering::SeqCst) >= 4).then_some(());
    eventually("four tries", enough, || agent.stderr()).await;
    is_open.store(true, Ordering::SeqCst);
    agent.object("ready", |_| true).await;
    agent.object("link", |line| line["state"] == "up").await;

    let links = agent.objects("link");
    assert_eq!(links.len(), 2, "{links:?}");
    assert_eq!(links[0]["state"], "connecting");
    let reason = links[0]["reason"].as_str().unwrap();
    assert!(reason.contains("answered with a web page"), "{reason}");
    assert_eq!(links[0]["hint"], "`podtap doctor` finds out why");
    assert_eq!(links[1].get("hint"), None, "{links:?}");
}
