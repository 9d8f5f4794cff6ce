//! Tests replays, with and without a link.

use crate::support::{Service, answer, browsing, history_of, item_update, ok, target_of};
use podtap_agent::history::{DeliveryState, EditedRequest, Outcome};
use podtap_agent::{Agent, AgentHandle, Replay, ReplayError};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

async fn with_event(folder: &TempDir) -> (Agent, AgentHandle) {
    let (writer, thread) =
        podtap_agent::history::Writer::open(&history_of(folder), |_| {}).unwrap();
    writer.append(vec![item_update(1, 4711)]).await.unwrap();
    thread.close().await;
    Agent::open(browsing(folder)).unwrap()
}

fn plain(service: &Service) -> Replay {
    let target = Some(target_of(service.address));
    Replay {
        event: item_update(1, 4711).id,
        target,
        edited: None,
    }
}

#[tokio::test]
async fn a_replay_is_an_attempt_of_the_same_event_marked_as_such() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| answer(202, "again")).await;
    let (agent, handle) = with_event(&folder).await;

    let first = handle.replay(plain(&service)).await.unwrap();
    let second = handle.replay(plain(&service)).await.unwrap();

    assert_eq!((first.number, second.number, second.replay), (1, 2, true));
    let received = service.requests();
    let marks: Vec<_> = received
        .iter()
        .map(|got| got.header("podtap-attempt").unwrap())
        .collect();
    assert_eq!(marks, ["1", "2"]);
    assert_eq!(received[0].header("podtap-replay"), Some("true"));
    let kept = handle.history().attempts(first.event).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].outcome, first.outcome);
    // The event's delivery is still due in the running agent.
    let event = handle.history().event(first.event).await.unwrap().unwrap();
    assert_eq!(event.state, DeliveryState::Pending);
    end(agent).await;
}

#[tokio::test]
async fn an_edited_replay_sends_and_keeps_what_was_edited() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    let (agent, handle) = with_event(&folder).await;
    let edited = EditedRequest {
        method: "PUT".to_owned(),
        path: "/other?x=1".to_owned(),
        headers: [("x-mine", "1")].into_iter().collect(),
        body: "edited".into(),
    };

    let replay = Replay {
        edited: Some(edited.clone()),
        ..plain(&service)
    };
    let attempt = handle.replay(replay).await.unwrap();

    let received = service.requests().remove(0);
    assert_eq!(received.request_line(), "PUT /other?x=1 HTTP/1.1");
    assert_eq!(
        (received.header("x-mine"), &received.body[..]),
        (Some("1"), &b"edited"[..])
    );
    assert!(attempt.url.ends_with("/other?x=1"));
    let kept = handle.history().attempts(attempt.event).await.unwrap();
    assert_eq!(kept[0].edited, Some(edited));
    end(agent).await;
}

#[tokio::test]
async fn a_local_service_that_is_away_is_an_outcome_and_a_missing_one_an_error() {
    let folder = TempDir::new().unwrap();
    let (agent, handle) = with_event(&folder).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let event = item_update(1, 4711).id;

    let away = Replay {
        event,
        target: Some(target_of(nobody)),
        edited: None,
    };
    let attempt = handle.replay(away).await.unwrap();
    assert_eq!(
        attempt.outcome,
        Outcome::Failed {
            error: "connection refused".to_owned()
        }
    );

    let missing = Replay {
        event,
        target: None,
        edited: None,
    };
    assert!(matches!(
        handle.replay(missing).await,
        Err(ReplayError::NoTarget)
    ));
    let unknown = Replay {
        event: item_update(9, 9).id,
        target: Some(target_of(nobody)),
        edited: None,
    };
    assert!(matches!(
        handle.replay(unknown).await,
        Err(ReplayError::UnknownEvent(_))
    ));
    end(agent).await;
}

async fn end(agent: Agent) {
    let token = CancellationToken::new();
    token.cancel();
    agent.run(token).await.unwrap();
}
