//! SIGINT and SIGTERM on either side: what was accepted is finished within ten seconds.

use std::time::Duration;

use http::Response;
use http_body_util::Full;
use rustix::process::Signal;
use tokio::time::{Instant, timeout};

use crate::support::{Service, Stage, form_post};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_told_to_end_finishes_the_attempt_under_way() {
    let stage = Stage::new();
    let service = Service::answering(|_| {
        std::thread::sleep(Duration::from_millis(700));
        Response::new(Full::from("late but there"))
    })
    .await;
    let (_relay, _, mut agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    agent.object("event", |_| true).await;

    let asked = Instant::now();
    agent.terminate();
    let status = timeout(LIMIT, agent.wait_for_end())
        .await
        .expect("the agent takes too long to end");

    assert_eq!(status.code(), Some(143), "{}", agent.stderr());
    assert!(asked.elapsed() < LIMIT);
    let events = stage.events(&[]);
    let attempts = events[0]["attempts"].as_array().unwrap();
    assert!(
        attempts.is_empty() || attempts[0]["status"] == 200,
        "an attempt is finished or never began: {attempts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_told_to_end_drains_and_the_agent_comes_back_to_the_next_one() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let mut relay = stage.relay().await;
    let token = stage.token("ann");
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    assert_eq!(
        form_post(&url, b"type=item.create&item_id=1").await.status,
        200
    );

    relay.process.signal(Signal::INT);
    let status = timeout(LIMIT, relay.process.wait_for_end())
        .await
        .expect("the relay takes too long");
    let said = relay.process.stderr();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(!said.contains("ERROR"), "an end is no error: {said}");
    agent
        .object("link", |link| link["state"] == "connecting")
        .await;

    let _relay = stage.relay_with(&relay.authority.clone(), &[]).await;
    let up = |link: &serde_json::Value| link["state"] == "up";
    let state = || agent.stdout().join("\n");
    let twice = || (agent.objects("link").into_iter().filter(up).count() >= 2).then_some(());
    crate::support::eventually("the link's return", twice, state).await;
    assert_eq!(
        form_post(&url, b"type=item.create&item_id=2").await.status,
        200
    );
    service.wait_for(2).await;
}
