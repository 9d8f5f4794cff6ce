//! The relay: another server at its address, a proxy in front of it, its token, tunnels and clock.

use std::net::SocketAddr;

use http::Response;
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::DoctorOutput;
use crate::support::{Service, Stage, form_post};

const TOKEN: (&str, &str) = ("PODTAP_TOKEN", "pt_aaaaaa_none");

/// Starts a server that answers every request with this status, media type and text.
async fn other(status: u16, media: &'static str, words: &'static str) -> (Service, String) {
    let service = Service::answering(move |_| {
        let response = Response::builder().status(status);
        let response = response.header("content-type", media);
        response.body(Full::from(words)).unwrap()
    })
    .await;
    let url = format!("http://{}", service.address());
    (service, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_in_place_of_a_relay_is_told() {
    let stage = Stage::new();
    let dependent = ["clock", "token", "websocket", "tunnel"];
    for (status, media, words, expected) in [
        (200, "text/html", "<html>", "web page"),
        (200, "text/plain", "OK", "not a relay"),
        (500, "text/plain", "", "500"),
        (502, "text/html", "<html>", "(502)"),
        (403, "text/html", "<html>", "(403)"),
        (404, "text/plain", "ready", "404"),
    ] {
        let (_service, url) = other(status, media, words).await;
        let said = DoctorOutput::of(&stage, &["--relay", &url], &[TOKEN]);
        said.breaks_at("relay", expected, &dependent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_takes_no_webhooks_says_why() {
    let service = Service::answering(|_| {
        let response = Response::builder().status(503);
        let response = response.header("podtap-relay", "podtap/9.9.9");
        response
            .body(Full::from("the disk is nearly full\n"))
            .unwrap()
    })
    .await;
    let url = format!("http://{}", service.address());
    let said = DoctorOutput::of(&Stage::new(), &["--relay", &url], &[TOKEN]);
    said.breaks_at(
        "relay",
        "podtap/9.9.9 runs and refuses webhooks: the disk is nearly full",
        &["token"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_an_hour_off_is_told() {
    for (hours, words) in [(1, "1 h behind"), (-1, "1 h ahead of")] {
        let service = Service::answering(move |_| {
            // A minute more than an hour, so that the duration of the test does not matter.
            let off = SignedDuration::from_mins(hours * 61);
            let date = Timestamp::now().checked_add(off).unwrap();
            let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let response = Response::builder().header("date", date);
            let response = response.header("podtap-relay", "podtap/9.9.9");
            response.body(Full::from("ready\n")).unwrap()
        })
        .await;
        let url = format!("http://{}", service.address());
        let said = DoctorOutput::of(&Stage::new(), &["--relay", &url], &[TOKEN]);
        said.breaks_at("clock", words, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_missing_wrong_or_revoked_is_told() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let at = relay.url();
    let dependent = ["websocket", "tunnel"];
    DoctorOutput::of(&stage, &["--relay", &at], &[]).breaks_at(
        "token",
        "no token is set",
        &dependent,
    );
    let revoked = stage.token("ann");
    let dir = stage.relay_dir();
    stage.succeed(&["relay", "token", "revoke", "ann", "--data-dir", &dir]);
    for wrong in ["hunter2", "two words", "pt_aaaaaa_none", &revoked] {
        let said = DoctorOutput::of(&stage, &["--relay", &at], &[("PODTAP_TOKEN", wrong)]);
        said.has("relay", "ok", "")
            .breaks_at("token", "", &dependent);
        assert!(!format!("{said:?}").contains(wrong), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_is_unknown_unserved_full_or_refuses_is_told() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let options = ["--max-queue-events", "10", "--max-body", "100"];
    let relay = stage.relay_with("127.0.0.1:0", &options).await;
    let token = stage.token("ann");
    let at = relay.url();
    let doctor = |args: &[&str]| {
        let fixed = ["--relay", &at];
        DoctorOutput::of(
            &stage,
            &[&fixed[..], args].concat(),
            &[("PODTAP_TOKEN", &token)],
        )
    };
    doctor(&[]).breaks_at("tunnel", "no tunnel crm", &[]);

    let (mut agent, url) = stage.agent(&at, &token, service.address(), &[]).await;
    agent.terminate();
    agent.wait_for_end().await;
    let said = doctor(&[]);
    said.has("tunnel", "warning", "no agent is connected; nothing waits");
    assert_eq!(said.code, Some(0), "{said:?}");

    assert_eq!(form_post(&url, &[b'x'; 101]).await.status, 413);
    let said = doctor(&[]);
    said.has("tunnel", "warning", "1 webhook refused");
    said.has("tunnel", "warning", "body over 100 bytes");

    for _ in 0..10 {
        assert_eq!(form_post(&url, b"type=x").await.status, 200);
    }
    doctor(&[]).breaks_at("tunnel", "10 of 10 events", &[]);
}

/// What a proxy without support for websockets does with one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// It sends a response of its own.
    Refuses,
    /// It forwards the upgrade, but nothing after it.
    Swallows,
    /// It forwards the upgrade, then closes the connection.
    Cuts,
}

/// Forwards everything to a relay, except websockets.
async fn before(relay: String, does: Does) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            connections.spawn(pass_on(near, relay.clone(), does));
        }
    });
    (address, serving)
}

async fn pass_on(mut near: TcpStream, relay: String, does: Does) {
    let mut far = TcpStream::connect(relay).await.unwrap();
    let mut head = vec![0; 4_096];
    let length = near.read(&mut head).await.unwrap_or(0);
    let is_websocket = head.starts_with(b"GET /-/connect");
    if is_websocket && does == Does::Refuses {
        let answer = b"HTTP/1.1 426 no\r\ncontent-length: 0\r\n\r\n";
        near.write_all(answer).await.ok();
        return;
    }
    far.write_all(&head[..length]).await.ok();
    if !is_websocket {
        tokio::io::copy_bidirectional(&mut near, &mut far)
            .await
            .ok();
        return;
    }
    let length = far.read(&mut head).await.unwrap_or(0);
    near.write_all(&head[..length]).await.ok();
    if does == Does::Swallows {
        // Until the other side gives up.
        while near.read(&mut head).await.is_ok_and(|count| count > 0) {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_websockets_from_passing_is_told() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, token, _agent, _) = stage.way_to(&service, &[]).await;
    for (does, words) in [
        (Does::Refuses, "426"),
        (Does::Swallows, "not answered within"),
        (Does::Cuts, "it ended after"),
    ] {
        let (address, _serving) = before(relay.authority.clone(), does).await;
        let at = format!("http://{address}");
        let said = DoctorOutput::of(&stage, &["--relay", &at], &[("PODTAP_TOKEN", &token)]);
        said.breaks_at("websocket", words, &[]);
        // The tunnel is checked over plain HTTP, so it is good.
        said.has("tunnel", "ok", "served by an agent");
    }
}
