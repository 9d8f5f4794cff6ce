//! Tests triggered events: they are in the history like any other, are sent outside the lanes, and
//! are never treated as events of Podio.

use crate::support::podio::PodioAgent;
use crate::support::{Service, answer, browsing, event, eventually, target_of};
use podtap_agent::draft::Draft;
use podtap_agent::history::{DeliveryState, EventRow, Outcome};
use podtap_agent::{Agent, EventId, Trigger, TriggerError};
use podtap_sandbox::{self as sandbox, Observation};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn trigger(event: &str, given: &[(&str, &str)]) -> Trigger {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let draft = Draft::of_type(event, given.iter().map(own).collect(), 1);
    Trigger {
        request: draft.request,
        target: None,
    }
}

#[tokio::test]
async fn a_triggered_event_is_kept_sent_and_marked_like_any_other() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| answer(202, "taken")).await;
    let mut config = browsing(&folder);
    config.target = Some(target_of(service.address));
    let (agent, handle) = Agent::open(config).unwrap();

    let told = handle
        .trigger(trigger("item.update", &[("item_id", "4711")]))
        .await
        .unwrap();

    let received = service.requests().remove(0);
    assert_eq!(received.request_line(), "POST /podio/hook HTTP/1.1");
    let body = String::from_utf8(received.body.clone()).unwrap();
    assert!(body.contains("item_id=4711"), "{body}");
    let id = told.event.to_string();
    assert_eq!(received.header("podtap-event-id"), Some(&*id));
    assert_eq!(received.header("podtap-attempt"), Some("1"));
    assert_eq!(received.header("podtap-replay"), Some("false"));

    let kept = handle.history().event(told.event).await.unwrap().unwrap();
    assert_eq!((kept.seq, kept.state), (None, DeliveryState::Delivered));
    assert_eq!(kept.podio.unwrap().id("item_id"), Some(4_711));
    assert!(kept.request.received_at.as_second() > 0, "it is of now");
    let attempts = handle.history().attempts(told.event).await.unwrap();
    assert_eq!((attempts.len(), attempts[0].number), (1, 1));
    assert_eq!(attempts[0].outcome, told.attempt.outcome);
    assert!(!attempts[0].replay);
    end(agent).await;
}

#[tokio::test]
async fn it_goes_where_it_is_told_and_a_service_that_is_away_is_an_outcome() {
    let folder = TempDir::new().unwrap();
    let (agent, handle) = Agent::open(browsing(&folder)).unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    let away = Trigger {
        target: Some(target_of(nobody)),
        ..trigger("item.create", &[])
    };
    let told = handle.trigger(away).await.unwrap();

    let refused = Outcome::Failed {
        error: "connection refused".to_owned(),
    };
    assert_eq!(told.attempt.outcome, refused);
    let kept = handle.history().event(told.event).await.unwrap().unwrap();
    assert_eq!(kept.state, DeliveryState::Delivered);
    end(agent).await;
}

#[tokio::test]
async fn without_a_local_service_nothing_is_kept() {
    let folder = TempDir::new().unwrap();
    let (agent, handle) = Agent::open(browsing(&folder)).unwrap();

    let refused = handle.trigger(trigger("item.create", &[])).await;

    assert!(matches!(refused, Err(TriggerError::NoTarget)));
    assert_eq!(handle.history().newest().await.unwrap(), None);
    end(agent).await;
}

#[tokio::test]
async fn beside_the_lanes_it_is_sent_once() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;

    let told = running
        .agent
        .handle
        .trigger(trigger("item.update", &[("item_id", "7")]))
        .await
        .unwrap();
    // The lanes have skipped the event once they have delivered a later one.
    arrives(&running, 1, "type=item.update&item_id=7&hook_id=7").await;

    let rows = running.wait_for_events(2).await;
    assert_eq!((rows[1].id, rows[1].attempts), (told.event, 1));
    assert_eq!(running.service.requests().len(), 2);
}

#[tokio::test]
async fn a_triggered_hook_verify_is_not_validated() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let mut observed = running.podio.handle.subscribe();
    let told = running
        .agent
        .handle
        .trigger(trigger("hook.verify", &[("hook_id", "1"), ("code", "ab")]))
        .await
        .unwrap();

    // It is found again after a start, and was skipped once a later event has an outcome.
    running.restart(|_| {}).await;
    let real = arrives(&running, 1, "type=hook.verify&hook_id=2&code=cd").await;
    looks(&running, real, |row| row.insight.verification.is_some()).await;

    let row = looks(&running, told.event, |_| true).await;
    assert_eq!(row.insight.verification, None);
    while let Ok(observation) = observed.try_recv() {
        if let Observation::Call { path, .. } = observation {
            assert!(!path.contains("/hook/1/"), "{path}");
        }
    }
}

#[tokio::test]
async fn triggered_events_are_no_loop_no_duplicates_and_leave_no_gaps() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.break_loops = true;
    })
    .await;
    arrives(&running, 1, &update(0)).await;
    for revision in (2..14).chain([13]) {
        let given = [
            ("item_id", "4711"),
            ("item_revision_id", &*revision.to_string()),
            ("hook_id", "7"),
        ];
        let sent = running.agent.handle.trigger(trigger("item.update", &given));
        sent.await.unwrap();
    }

    // A mark on a later event shows that all earlier ones were read.
    arrives(&running, 2, "type=comment.create&comment_id=1&hook_id=7").await;
    let again = "type=comment.create&comment_id=1&hook_id=8";
    let again = arrives(&running, 3, again).await;
    looks(&running, again, |row| row.insight.duplicate.is_some()).await;

    assert_eq!(running.agent.handle.history().loops().await.unwrap(), []);
    assert_eq!(running.agent.handle.held_objects(), []);
    let rows = running.rows().await;
    let triggered = rows.iter().filter(|row| row.id != again);
    for row in triggered {
        assert_eq!(row.insight.duplicate, None, "{row:#?}");
        assert_eq!(row.insight.missing, 0, "{row:#?}");
    }
}

#[tokio::test]
async fn what_podio_sends_is_compared_with_what_podio_sent_alone() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    arrives(&running, 1, &update(3)).await;
    for revision in ["4", "5", "6", "7"] {
        let given = [("item_id", "4711"), ("item_revision_id", revision)];
        let sent = running.agent.handle.trigger(trigger("item.update", &given));
        sent.await.unwrap();
    }

    let next = arrives(&running, 2, &update(7)).await;

    let row = looks(&running, next, |row| row.insight.missing > 0).await;
    assert_eq!((row.insight.missing, row.insight.duplicate), (3, None));
}

#[tokio::test]
async fn a_triggered_event_says_nothing_of_how_a_hook_stands() {
    let running = PodioAgent::answering(|_| answer(500, "no")).await;
    let given = [("hook_id", "24360217")];
    let sent = running.agent.handle.trigger(trigger("item.update", &given));
    sent.await.unwrap();
    arrives(&running, 1, &update(1)).await;
    running.wait_for_events(2).await;

    let hooks = running.agent.handle.standings().await.unwrap();

    let hooks: Vec<u64> = hooks.iter().map(|hook| hook.hook_id).collect();
    assert_eq!(hooks, [7]);
}

fn update(revision: u32) -> String {
    format!("type=item.update&item_id=4711&item_revision_id={revision}&hook_id=7")
}

/// Appends a webhook as a relay would send it.
async fn arrives(running: &PodioAgent, number: u64, body: &str) -> EventId {
    let event = event(number, body);
    let id = event.id;
    running.podio.writer.append(vec![event]).await.unwrap();
    id
}

/// Returns an event's row, once it looks as `wanted`.
async fn looks(running: &PodioAgent, id: EventId, wanted: impl Fn(&EventRow) -> bool) -> EventRow {
    eventually("the row looks as wanted", || async {
        let rows = running.rows().await;
        match rows.into_iter().find(|row| row.id == id) {
            Some(row) if wanted(&row) => Ok(row),
            other => Err(format!("{other:#?}")),
        }
    })
    .await
}

async fn end(agent: Agent) {
    let token = CancellationToken::new();
    token.cancel();
    agent.run(token).await.unwrap();
}
