//! `--respond local`: senders get the local service's response, the relay does
//! not store these events, and the history has all of them, in order and once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use http_body_util::Full;
use tokio::task::JoinSet;

use crate::support::{DEADLINE, Service, Stage, eventually, form_post};

const LOCAL: [&str; 2] = ["--respond", "local"];

fn body(item: usize, revision: usize) -> String {
    format!("item_id={item}&item_revision_id={revision}&type=item.update&hook_id=7")
}

/// Starts a service that responds with the body that it received.
async fn echo() -> Service {
    Service::answering(|received| {
        let mut response = Response::new(Full::new(received.body.clone()));
        *response.status_mut() = http::StatusCode::ACCEPTED;
        response
    })
    .await
}

fn bodies(history: &[serde_json::Value]) -> Vec<&str> {
    history
        .iter()
        .map(|event| event["body"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_local_service_answers_is_not_stored_by_the_relay() {
    const EVENTS: usize = 30;
    let (stage, service) = (Stage::new(), echo().await);
    let (relay, _, _agent, url) = stage.way_to(&service, &LOCAL).await;
    let commits = relay.metric("podtap_commit_events_count").await;

    for number in 0..EVENTS {
        let answer = form_post(&url, body(number, 0).as_bytes()).await;
        assert_eq!((answer.status, answer.body), (202, body(number, 0)));
    }

    assert_eq!(relay.metric("podtap_commit_events_count").await, commits);
    assert_eq!(relay.metric("podtap_events_accepted_total").await, 0);
    assert_eq!(
        relay.metric("podtap_events_passed_total").await,
        EVENTS as u64
    );
    let history = stage.wait_until_settled(&[], EVENTS);
    let expected: Vec<_> = (0..EVENTS).map(|number| body(number, 0)).collect();
    assert_eq!(bodies(&history), expected);
    for event in &history {
        assert!(event["seq"].is_null(), "{event}");
        assert_eq!(event["attempts"][0]["status"], 202, "{event}");
    }
    assert_eq!(service.count(), EVENTS);
}

/// Invariant 2: events that were accepted while no agent was connected come first.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_not_overtaken() {
    const WAITING: usize = 60;
    let (stage, service) = (Stage::new(), echo().await);
    let (relay, token, mut agent, url) = stage.way_to(&service, &LOCAL).await;
    agent.terminate();
    agent.wait_for_end().await;
    let mut revision = 0;
    while revision < WAITING {
        let answer = form_post(&url, body(1, revision).as_bytes()).await;
        assert_eq!((answer.status, answer.body.trim()), (200, "stored"));
        revision += 1;
    }
    let _agent = stage.start_agent(&relay.url(), &token, service.address(), &LOCAL);
    // Sent repeatedly until one has gone through to the service.
    loop {
        let answer = form_post(&url, body(1, revision).as_bytes()).await;
        revision += 1;
        if answer.status == 202 {
            break;
        }
        assert_eq!((answer.status, answer.body.trim()), (200, "stored"));
    }

    let expected: Vec<_> = (0..revision).map(|revision| body(1, revision)).collect();
    let received = service.wait_for(revision).await;
    let received: Vec<_> = received
        .iter()
        .map(|r| String::from_utf8_lossy(&r.body))
        .collect();
    assert_eq!(received, expected);
    assert_eq!(bodies(&stage.wait_until_settled(&[], revision)), expected);
}

/// More parallel senders than objects: the events of one object are sent one at a time.
#[tokio::test(flavor = "multi_thread")]
async fn one_objects_requests_go_one_by_one_and_others_beside_them() {
    const ITEMS: usize = 4;
    const SENDERS: usize = 3;
    const EACH: usize = 8;
    let under_way: Arc<[AtomicUsize; ITEMS]> = Arc::default();
    let clashes = Arc::<AtomicUsize>::default();
    let (busy, clashed) = (Arc::clone(&under_way), Arc::clone(&clashes));
    let service = Service::answering(move |received| {
        let text = String::from_utf8_lossy(&received.body);
        let item = text.strip_prefix("item_id=").unwrap().split('&').next();
        let item: usize = item.unwrap().parse().unwrap();
        if busy[item].fetch_add(1, Ordering::SeqCst) > 0 {
            clashed.fetch_add(1, Ordering::SeqCst);
        }
        std::thread::sleep(Duration::from_millis(3));
        busy[item].fetch_sub(1, Ordering::SeqCst);
        Response::new(Full::new(received.body.clone()))
    })
    .await;
    let stage = Stage::new();
    let (_relay, _, _agent, url) = stage.way_to(&service, &LOCAL).await;

    let mut senders = JoinSet::new();
    for sender in 0..ITEMS * SENDERS {
        let url = url.clone();
        senders.spawn(async move {
            for number in 0..EACH {
                let sent = body(sender % ITEMS, sender * EACH + number);
                let answer = form_post(&url, sent.as_bytes()).await;
                assert_eq!((answer.status, answer.body), (200, sent));
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }

    assert_eq!(clashes.load(Ordering::SeqCst), 0);
    let history = stage.events(&[]);
    assert_eq!(history.len(), ITEMS * SENDERS * EACH);
    // Each event was delivered once, and those of one object in the order of the history.
    let mut orders: HashMap<String, [Vec<String>; 2]> = HashMap::new();
    let received = service.requests();
    let received = received
        .iter()
        .map(|r| String::from_utf8_lossy(&r.body).into_owned());
    let stored = bodies(&history).into_iter().map(str::to_owned);
    for (place, text) in stored
        .map(|text| (0, text))
        .chain(received.map(|text| (1, text)))
    {
        let item = text.split('&').next().unwrap().to_owned();
        orders.entry(item).or_default()[place].push(text);
    }
    for (item, [stored, received]) in orders {
        assert_eq!(stored, received, "{item}");
    }
}

/// A local service that takes too long: the relay stores the event and
/// responds. The agent has the event already and does not deliver it again.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_relay_answers_in_the_end_is_delivered_once() {
    let (stage, service) = (Stage::new(), echo().await);
    service.is_silent(true);
    let relay = stage
        .relay_with("127.0.0.1:0", &["--respond-timeout", "200ms"])
        .await;
    let token = stage.token("ann");
    let (_agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &LOCAL)
        .await;

    let answer = form_post(&url, body(1, 1).as_bytes()).await;
    assert_eq!((answer.status, answer.body.trim()), (200, "stored"));
    assert_eq!(relay.metric("podtap_events_accepted_total").await, 1);
    service.is_silent(false);

    let attempted = || {
        let history = stage.events(&[]);
        let attempts = history.first()?["attempts"].as_array()?.len();
        (attempts > 0).then_some(history)
    };
    let history = eventually("the attempt", attempted, || {
        format!("{:?}", stage.events(&[]))
    })
    .await;
    assert_eq!(history.len(), 1);
    let acknowledged = async {
        while relay.metric("podtap_acknowledgements_total").await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, acknowledged).await.unwrap();
    assert_eq!(stage.events(&[]).len(), 1);
    assert_eq!(service.count(), 1);
}
