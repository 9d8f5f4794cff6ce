//! Tests that a note on an event stays, is found, and reaches every reader.

use crate::support::{event, history_of, item_update};
use jiff::Timestamp;
use podtap_agent::history::{self, Anchor, Filter, MAX_NOTE, PageQuery, SavedFilters};
use podtap_agent::{Agent, AgentConfig, AgentHandle, Change};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

async fn find_notes(handle: &AgentHandle, filter: &str) -> Vec<Option<String>> {
    let query = PageQuery {
        filter: Filter::parse(filter, Timestamp::now(), &SavedFilters::default()).unwrap(),
        anchor: Anchor::Newest,
        limit: 10,
    };
    let rows = handle.history().page(query).await.unwrap();
    rows.into_iter().map(|row| row.note).collect()
}

#[tokio::test]
async fn a_note_is_kept_replaced_found_and_taken_away() {
    let folder = TempDir::new().unwrap();
    let (agent, handle) = Agent::open(AgentConfig::new(history_of(&folder))).unwrap();
    let (writer, thread) = history::Writer::open(&history_of(&folder), |_| {}).unwrap();
    let sent = vec![item_update(1, 4711), event(2, "b")];
    writer.append(sent.clone()).await.unwrap();
    let position = handle.history().newest().await.unwrap().unwrap();
    let mut told = handle.changes();

    for (note, kept) in [
        (Some(" ask Ann [1] "), Some("ask Ann [1]")),
        (Some("second thoughts"), Some("second thoughts")),
    ] {
        handle.annotate(position, sent[1].id, note).await.unwrap();
        let event = handle.history().event(sent[1].id).await.unwrap().unwrap();
        assert_eq!(event.note.as_deref(), kept);
    }
    assert!(
        matches!(told.recv().await, Ok(Change::History(history::HistoryChange::Touched { event, .. })) if event == sent[1].id)
    );

    let noted = vec![Some("second thoughts".to_owned())];
    assert_eq!(find_notes(&handle, "note:yes").await, noted);
    assert_eq!(find_notes(&handle, "note:thought").await, noted);
    assert_eq!(find_notes(&handle, "note:first").await, []);
    assert_eq!(find_notes(&handle, "note:no").await, [None]);
    assert_eq!(find_notes(&handle, "-note:thought").await, [None]);

    let long = "é".repeat(2 * MAX_NOTE);
    handle
        .annotate(position, sent[1].id, Some(&long))
        .await
        .unwrap();
    let kept = find_notes(&handle, "note:yes").await.remove(0).unwrap();
    assert_eq!(kept.chars().count(), MAX_NOTE);

    handle
        .annotate(position, sent[1].id, Some(" "))
        .await
        .unwrap();
    assert_eq!(find_notes(&handle, "note:yes").await, []);

    thread.close().await;
    let done = CancellationToken::new();
    done.cancel();
    agent.run(done).await.unwrap();
}
