//! The memory of an agent does not depend on the size of its history or of its service's responses.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::task::JoinSet;

use crate::support::{GoneService, Process, Service, Stage, command, eventually, form_post};

/// The promised maximum memory of an agent and of a relay.
const AGENT_MIB: u64 = 150;
const RELAY_MIB: u64 = 300;

/// The large webhooks, in total far above the promised memory.
/// `LARGE_EVENTS=150 cargo test --test e2e memory` sends more.
const EVENTS: usize = 28;
const BODY_BYTES: usize = 8 * 1024 * 1024;

/// Number of parallel responses, each larger than the relay accepts.
const ANSWERS: usize = 8;
const ANSWER_BYTES: usize = 100 * 1000 * 1000;

fn in_bounds(agent: &Process, relay: &Process) {
    let most = agent.peak_mib();
    assert!(most < AGENT_MIB, "the agent took {most} MiB");
    let most = relay.peak_mib();
    assert!(most < RELAY_MIB, "the relay took {most} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_events_wait_for_a_service_that_is_away_on_disk_and_not_in_memory() {
    let events = std::env::var_os("LARGE_EVENTS");
    let events = events.map_or(EVENTS, |text| text.to_str().unwrap().parse().unwrap());
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let gone = GoneService::new();
    let away = gone.address();
    let (mut first, public) = stage.agent(&relay.url(), &token, away, &[]).await;
    first.terminate();
    first.wait_for_end().await;
    // Without output, since the test would hold all of it in memory.
    let (away, url) = (away.to_string(), relay.url());
    let mut agent = command(
        &stage,
        &[
            "listen", &away, "--relay", &url, "--name", "crm", "--ui", "quiet",
        ],
    );
    agent.env("PODTAP_TOKEN", &token);
    let agent = Process::spawn(agent);

    let body = [
        &b"type=item.update&item_id=1&x="[..],
        &vec![b'x'; BODY_BYTES - 64],
    ]
    .concat();
    for _ in 0..events {
        let posted = form_post(&format!("{public}podio/hook"), &body).await;
        assert_eq!(posted.status, 200);
    }
    eventually(
        "all of them in the history",
        || {
            let list = stage.succeed(&["events", "--name", "crm", "-l", "1000"]);
            (list.lines().count() == events).then_some(())
        },
        || agent.stderr(),
    )
    .await;

    in_bounds(&agent, &relay.process);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_far_too_large_to_pass_on_are_not_kept_in_memory() {
    let body = Bytes::from(vec![b'x'; ANSWER_BYTES]);
    let service = Service::answering(move |_| Response::new(Full::from(body.clone()))).await;
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let local = ["--respond", "local"];
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &local)
        .await;

    let mut senders = JoinSet::new();
    for item in 0..ANSWERS {
        let url = url.clone();
        let body = format!("type=item.update&item_id={item}");
        senders.spawn(async move { form_post(&url, body.as_bytes()).await });
    }
    while let Some(answer) = senders.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(answer.body.contains("95.4 MiB"), "{answer:?}");
    }

    in_bounds(&agent, &relay.process);
}
