//! Invariant 1: each event that was answered 200 is in the history once and
//! was offered to the local service, whichever process was killed in between.

use std::collections::HashMap;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{Relay, Service, SharedStage, Stage, eventually, form_post, own_address};

const EVENTS: usize = 2_000;

/// Posts event `n` until it is answered 200, as any sender does while a relay restarts.
async fn post_until_accepted(url: &str, n: usize) {
    let body = format!(
        "type=item.update&item_id={}&item_revision_id={n}&n={n}",
        n % 50
    );
    loop {
        let (authority, _) = crate::support::split_url(url);
        if tokio::net::TcpStream::connect(authority).await.is_err() {
            crate::support::pause(std::time::Duration::from_millis(20)).await;
            continue;
        }
        let posted = {
            let (url, body) = (url.to_owned(), body.clone());
            let mut one = JoinSet::new();
            one.spawn(async move { form_post(&url, body.as_bytes()).await.status });
            one.join_next().await.unwrap()
        };
        // A connection that the kill cuts has no response, and the
        // task fails. The event was not accepted, so it is sent again.
        if matches!(posted, Ok(200)) {
            return;
        }
        crate::support::pause(std::time::Duration::from_millis(20)).await;
    }
}

/// Counts each `n` in these bodies.
fn occurrences<'a>(bodies: impl Iterator<Item = &'a str>) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    for body in bodies {
        let (_, n) = body.rsplit_once("n=").unwrap();
        *counts.entry(n.parse().unwrap()).or_default() += 1;
    }
    counts
}

/// Senders that continue until each of their events is accepted.
pub(crate) struct Load {
    senders: JoinSet<()>,
    sent: watch::Receiver<usize>,
}

impl Load {
    pub(crate) fn start(url: &str, events: usize) -> Self {
        let (next, sent) = watch::channel(0);
        let mut senders = JoinSet::new();
        for lane in 0..4 {
            let (url, next) = (url.to_owned(), next.clone());
            senders.spawn(async move {
                for n in (lane..events).step_by(4) {
                    post_until_accepted(&url, n).await;
                    next.send_modify(|sent| *sent += 1);
                }
            });
        }
        Self { senders, sent }
    }

    /// Waits until this number of events was accepted.
    pub(crate) async fn reaches(&self, count: usize) {
        let state = || format!("{} sent", *self.sent.borrow());
        let reached = || (*self.sent.borrow() >= count).then_some(());
        eventually("progress", reached, state).await;
    }

    /// Waits until all events were accepted.
    pub(crate) async fn end(mut self) {
        while let Some(sender) = self.senders.join_next().await {
            sender.unwrap();
        }
    }
}

/// Checks that each event was offered to the local
/// service, and is in the history once and in order.
pub(crate) async fn is_whole(stage: &Stage, service: &Service, events: usize) {
    let delivered = || {
        let received = service.requests();
        let bodies = received
            .iter()
            .map(|r| std::str::from_utf8(&r.body).unwrap());
        occurrences(bodies)
    };
    let all = || (delivered().len() == events).then_some(());
    eventually("all deliveries", all, || {
        format!("{} of {events}", delivered().len())
    })
    .await;

    // If a kill cuts off a response, the sender repeats the request, which makes two webhooks. So
    // the history may have as many rows as there were events while one of them is not stored yet.
    let stored = |history: &[serde_json::Value]| {
        occurrences(history.iter().map(|event| event["body"].as_str().unwrap())).len()
    };
    let whole = || {
        let history = stage.wait_until_settled(&[], events);
        (stored(&history) == events).then_some(history)
    };
    let state = || format!("{} of {events}", stored(&stage.events(&[])));
    let history = eventually("every event is in the history", whole, state).await;
    let ids: std::collections::HashSet<_> = history.iter().map(|e| e["id"].to_string()).collect();
    assert_eq!(ids.len(), history.len(), "no event is there twice");
    let seqs: Vec<u64> = history
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(
        seqs.is_sorted_by(|a, b| a < b),
        "in the order in which the relay accepted them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_survive_kills_of_relay_and_agent_and_are_stored_once() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    survives_kills(&stage, relay, &token, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_a_shared_database_survive_the_same_kills() {
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let relay = shared.relay(&own_address(), None).await;
    let token = shared.token();
    let options = ["--database", &shared.database];
    survives_kills(&shared.stage, relay, &token, &options).await;
}

/// Kills agent, relay and agent under load; the next relay has these options.
async fn survives_kills(stage: &Stage, mut relay: Relay, token: &str, options: &[&str]) {
    let service = Service::start().await;
    let (mut agent, url) = stage
        .agent(&relay.url(), token, service.address(), &[])
        .await;
    let load = Load::start(&url, EVENTS);

    load.reaches(EVENTS / 5).await;
    agent.kill();
    load.reaches(2 * EVENTS / 5).await;
    relay.process.kill();
    let listen = relay.authority.clone();
    let relay_again = stage.relay_with(&listen, options).await;
    let (mut agent_again, url_again) = stage
        .agent(&relay_again.url(), token, service.address(), &[])
        .await;
    assert_eq!(url_again, url, "the URL outlives every restart");
    load.reaches(3 * EVENTS / 5).await;
    agent_again.kill();
    let (_agent, _) = stage
        .agent(&relay_again.url(), token, service.address(), &[])
        .await;
    load.end().await;

    is_whole(stage, &service, EVENTS).await;
}
