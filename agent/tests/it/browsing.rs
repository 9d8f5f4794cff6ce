//! Tests that an agent that only browses accepts and removes nothing.

use crate::support::{event, history_of};
use jiff::Timestamp;
use podtap_agent::history::Retention;
use podtap_agent::history::{self, Filter, Writer};
use podtap_agent::{Agent, AgentConfig, Change};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn an_old_event_outlives_a_look_at_the_history() {
    let folder = TempDir::new().unwrap();
    let mut config = AgentConfig::new(history_of(&folder));
    config.retention = Retention {
        max_events: 1,
        ..Retention::default()
    };
    let (agent, handle) = Agent::open(config).unwrap();
    let (elsewhere, thread) = Writer::open(&history_of(&folder), |_| {}).unwrap();
    let mut old = vec![event(1, "a"), event(2, "b"), event(3, "c")];
    for event in &mut old {
        event.request.received_at = Timestamp::UNIX_EPOCH;
        event.state = history::DeliveryState::Held;
    }
    elsewhere.append(old).await.unwrap();

    // The task that notices writes of other processes would also remove events, in its first round
    // and, after the next write, in its second: after both, it would have removed the event.
    let (ended, mut told) = (CancellationToken::new(), handle.changes());
    let looked = async {
        while !matches!(
            told.recv().await,
            Ok(Change::History(history::HistoryChange::Elsewhere))
        ) {}
        elsewhere.append(vec![event(4, "d")]).await.unwrap();
        while !matches!(
            told.recv().await,
            Ok(Change::History(history::HistoryChange::Elsewhere))
        ) {}
        ended.cancel();
    };
    let (ran, ()) = tokio::join!(agent.run(ended.clone()), looked);
    ran.unwrap();

    assert_eq!(handle.history().count(Filter::default()).await.unwrap(), 4);
    thread.close().await;
}
