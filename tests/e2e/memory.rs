//! What an agent takes in memory, whatever waits in its history.

use crate::support::{Process, Stage, command, eventually, form_post};

/// The promise: an agent stays below it.
const MOST_MIB: u64 = 150;

/// Large webhooks, in all far beyond the promise.
const EVENTS: usize = 28;
const BODY_BYTES: usize = 8 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn large_events_wait_for_a_service_that_is_away_on_disk_and_not_in_memory() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = nobody.local_addr().unwrap();
    drop(nobody);
    let (mut first, public) = stage.agent(&relay.url(), &token, away, &[]).await;
    first.terminate();
    first.ended().await;
    // Prints nothing: what is printed would have to be whole in memory.
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
    for _ in 0..EVENTS {
        let posted = form_post(&format!("{public}podio/hook"), &body).await;
        assert_eq!(posted.status, 200);
    }
    eventually(
        "all of them in the history",
        || (stage.succeed(&["events", "--name", "crm"]).lines().count() == EVENTS).then_some(()),
        || agent.stderr(),
    )
    .await;

    let most = agent.peak_mib();
    assert!(most < MOST_MIB, "the agent took {most} MiB");
}
