//! Tests the link with a real relay on loopback: an event that a relay accepted is in the history,
//! once, in order, whatever happens to the connection.

use std::time::Duration;

use crate::support::relay::TestRelay;
use crate::support::running::RunningAgent;
use crate::support::{
    DEADLINE, Service, answer, browsing, delivering, eventually, history_of, ok, target_of,
};
use podtap_agent::config::LinkConfig;
use podtap_agent::history::{DeliveryState, Position};
use podtap_agent::{AgentConfig, LinkState, RunError};
use podtap_wire::{Respond, Seq};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a POST as Podio would; returns the whole answer.
async fn post(url: &str, path: &str, body: &str) -> String {
    let (authority, base) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let length = body.len();
    let request = format!(
        "POST /{base}{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn body_of(item: usize) -> String {
    format!("type=item.update&item_id={item}&item_revision_id=1&hook_id=7")
}

fn config(folder: &TempDir, link: LinkConfig, service: &Service) -> AgentConfig {
    let target = Some(target_of(service.address));
    AgentConfig {
        link: Some(link),
        target,
        ..browsing(folder)
    }
}

#[tokio::test]
async fn a_webhook_reaches_the_history_and_the_local_service() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| answer(204, "")).await;
    let running = RunningAgent::start(config(&folder, relay.link().await, &service));
    let url = running.up().await;

    let accepted = post(&url, "podio/hook?x=1", &body_of(4711)).await;
    assert!(accepted.starts_with("HTTP/1.1 200"), "{accepted}");

    let rows = running.wait_for_events(1).await;
    assert_eq!(rows[0].object.unwrap().to_string(), "item 4711");
    eventually("it is delivered", || async {
        service.requests().pop().map(drop).ok_or_else(String::new)
    })
    .await;
    let received = service.requests().remove(0);
    assert_eq!(received.request_line(), "POST /podio/hook?x=1 HTTP/1.1");
    assert_eq!(received.body, body_of(4711).as_bytes());
    assert_eq!(
        received.header("podtap-event-id"),
        Some(rows[0].id.to_string().as_str())
    );
    assert_eq!(received.header("x-forwarded-proto"), Some("http"));
    running.stop().await;
}

#[tokio::test]
async fn what_was_accepted_without_an_agent_arrives_in_order_once_and_after_a_restart_of_both() {
    let (mut relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| ok()).await;
    let link = relay.link().await;
    let running = RunningAgent::start(config(&folder, link.clone(), &service));
    let url = running.up().await;
    running.stop().await;
    for item in 0..20 {
        post(&url, "", &body_of(item)).await;
    }

    relay.stop().await;
    relay.resume().await;
    let running = RunningAgent::start(config(&folder, link, &service));
    assert_eq!(
        running.up().await,
        url,
        "the same owner and name get the same URL"
    );

    let rows = running.wait_for_events(20).await;
    let items: Vec<u64> = rows.iter().map(|row| row.object.unwrap().id).collect();
    assert_eq!(items, (0..20).collect::<Vec<u64>>());
    running.stop().await;
}

#[tokio::test]
async fn a_relay_that_goes_and_comes_back_is_found_again() {
    let (mut relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| ok()).await;
    let running = RunningAgent::start(config(&folder, relay.link().await, &service));
    let url = running.up().await;

    relay.stop().await;
    let mut status = running.handle.status();
    let down = status.wait_for(|status| matches!(status.link, LinkState::Connecting { .. }));
    tokio::time::timeout(DEADLINE, down).await.unwrap().unwrap();
    relay.resume().await;

    assert_eq!(running.up().await, url);
    post(&url, "", &body_of(1)).await;
    running.wait_for_events(1).await;
    assert_eq!(running.handle.status().borrow().reconnects, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_token_and_a_revoked_one_end_the_agent() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| ok()).await;
    let mut wrong = relay.link().await;
    wrong.token = "pt_wrong".into();
    let mut running = RunningAgent::start(config(&folder, wrong, &service));
    let end = running.wait_for_end().await;
    assert!(matches!(end, Err(RunError::TokenRefused { .. })), "{end:?}");
    let link = running.handle.status().borrow().link.clone();
    assert!(matches!(link, LinkState::Stopped { .. }), "{link:?}");

    let mut running = RunningAgent::start(config(&folder, relay.link().await, &service));
    running.up().await;
    relay.tokens().revoke("somebody", false).await.unwrap();
    let end = running.wait_for_end().await;
    let revoked = matches!(
        end,
        Err(RunError::TokenRevoked | RunError::TokenRefused { .. })
    );
    assert!(revoked, "{end:?}");
}

#[tokio::test]
async fn a_newer_agent_takes_the_tunnel_over() {
    let relay = TestRelay::start().await;
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let service = Service::start(|_| ok()).await;
    let mut first = RunningAgent::start(config(&folder, relay.link().await, &service));
    first.up().await;

    let second = RunningAgent::start(config(&other, relay.link().await, &service));
    second.up().await;

    let end = first.wait_for_end().await;
    assert!(matches!(end, Err(RunError::TakenOver { .. })), "{end:?}");
    second.stop().await;
}

#[tokio::test]
async fn under_respond_local_the_sender_hears_the_local_service() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| answer(418, "tea")).await;
    let mut link = relay.link().await;
    link.respond = Respond::Local;
    let running = RunningAgent::start(config(&folder, link, &service));
    let url = running.up().await;

    let heard = post(&url, "", &body_of(1)).await;

    assert!(heard.starts_with("HTTP/1.1 418"), "{heard}");
    assert!(
        heard.contains("x-service: yes") && heard.ends_with("tea"),
        "{heard}"
    );
    running.stop().await;
}

/// The relay does not store the event; here it is stored like any other event.
#[tokio::test]
async fn what_is_passed_through_is_in_the_history_once_with_its_attempt() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| answer(202, "taken")).await;
    let mut link = relay.link().await;
    link.respond = Respond::Local;
    let running = RunningAgent::start(config(&folder, link, &service));
    let url = running.up().await;

    for number in 1..=20 {
        let heard = post(&url, "", &body_of(number)).await;
        assert!(heard.starts_with("HTTP/1.1 202"), "{heard}");
    }

    let rows = running.wait_for_events(20).await;
    assert_eq!(rows.len(), 20);
    assert_eq!(service.count(), 20);
    let event = running
        .handle
        .history()
        .event(rows[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((event.seq, event.place_in_queue()), (Some(Seq(0)), None));
    running.stop().await;
}

/// The relay waits for a local service that never receives these events, so the agent must answer.
#[tokio::test]
async fn the_sender_of_what_is_not_delivered_does_not_wait() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let service = Service::start(|_| answer(418, "tea")).await;
    let mut link = relay.link().await;
    link.respond = Respond::Local;
    let mut config = config(&folder, link, &service);
    config.podio.forward_verify = false;
    let running = RunningAgent::start(config);
    let url = running.up().await;

    let heard = post(&url, "", "type=hook.verify&hook_id=7&code=b9079247").await;

    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    assert!(heard.ends_with("received\n"), "{heard}");
    eventually("the event to be held", async || {
        let state = running.wait_for_events(1).await[0].state;
        (state == DeliveryState::Held)
            .then_some(())
            .ok_or_else(|| format!("{state:?}"))
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn an_answer_larger_than_the_relay_takes_is_a_502_and_costs_no_link() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let large = "x".repeat(9 * 1024 * 1024);
    let service = Service::start(move |_| answer(200, &large)).await;
    let mut link = relay.link().await;
    link.respond = Respond::Local;
    let running = RunningAgent::start(config(&folder, link, &service));
    let url = running.up().await;

    for number in 1..=2 {
        let heard = post(&url, "", &body_of(number)).await;
        assert!(heard.starts_with("HTTP/1.1 502"), "{heard:.200}");
        assert!(
            heard.contains("answer of 9.0 MiB is too large"),
            "{heard:.400}"
        );
    }

    assert_eq!(running.handle.status().borrow().reconnects, 0);
    running.stop().await;
}

#[tokio::test]
async fn without_a_local_service_events_are_held() {
    let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
    let config = AgentConfig {
        link: Some(relay.link().await),
        ..browsing(&folder)
    };
    let running = RunningAgent::start(config);
    let url = running.up().await;

    post(&url, "", &body_of(1)).await;

    assert_eq!(
        running.wait_for_events(1).await[0].state,
        DeliveryState::Held
    );
    running.stop().await;
}

#[tokio::test]
async fn an_unreachable_relay_is_told_in_words_and_the_end_is_quick() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    let running = RunningAgent::start(delivering(&folder, service.address));
    let mut status = running.handle.status();
    let refused = status.wait_for(|status| {
        matches!(&status.link, LinkState::Connecting { attempt, reason: Some(reason), .. }
            if *attempt >= 2 && reason == "connection refused")
    });
    tokio::time::timeout(DEADLINE, refused)
        .await
        .unwrap()
        .unwrap();

    tokio::time::timeout(Duration::from_secs(2), running.stop())
        .await
        .unwrap();
}

/// A relay of the same process accepts nothing while the agent is off: Podio's calls have failed.
#[tokio::test]
async fn a_relay_that_was_off_with_its_agent_is_a_gap_of_the_history_where_podio_can_call_it() {
    for can_be_called in [true, false] {
        let (relay, folder) = (TestRelay::start().await, TempDir::new().unwrap());
        let service = Service::start(|_| answer(204, "")).await;
        let mut link = relay.link().await;
        link.is_own = true;
        let mut config = config(&folder, link, &service);
        let api = if can_be_called {
            // A replacement of Podio on this machine can call this machine.
            "http://127.0.0.1:1"
        } else {
            "https://api.podio.com"
        };
        config.podio.client.base_url = api.parse().unwrap();
        let running = RunningAgent::start(config.clone());
        running.up().await;
        let kept = || async {
            let history = rusqlite::Connection::open(history_of(&folder)).unwrap();
            let long_ago = "UPDATE upkeep SET value = json_set(value, '$.wall_ms', \
                            json_extract(value, '$.wall_ms') - 7200000) WHERE name = 'ages'";
            match history.execute(long_ago, []) {
                Ok(1) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        };
        running.stop().await;
        eventually("the time of the last run", kept).await;

        let running = RunningAgent::start(config);
        running.up().await;
        let (low, high) = (Position(i64::MIN), Position(i64::MAX));
        if can_be_called {
            let gap = eventually("the gap", || async {
                let gaps = running.handle.history().gaps(low, high).await.unwrap();
                gaps.first()
                    .map(ToString::to_string)
                    .ok_or("none".to_owned())
            })
            .await;
            assert_eq!(gap, "the relay was away for 2 h: webhooks may be lost");
        } else {
            post(&running.up().await, "podio", &body_of(1)).await;
            eventually("a delivery", || async {
                let rows = running.rows().await;
                let is_there = rows.iter().any(|row| row.state == DeliveryState::Delivered);
                is_there.then_some(()).ok_or(format!("{rows:?}"))
            })
            .await;
            let gaps = running.handle.history().gaps(low, high).await.unwrap();
            assert_eq!(gaps, []);
        }
        running.stop().await;
    }
}
