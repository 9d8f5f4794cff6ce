//! Tests rare events of a session: a gap that no event follows, frames of another release,
//! a crash at a bad moment.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use podtap_wire::{Notice, RelayFrame, Seq};
use tempfile::{TempDir, tempdir};
use tokio_tungstenite::tungstenite::Message;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::support::TestRelay;
use crate::support::http::post;

#[tokio::test]
async fn a_gap_at_the_very_end_is_told_though_no_event_follows() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let path = relay.tunnel("crm").await;
    for body in ["1", "2", "3"] {
        post(relay.address, &path, body).await;
    }
    rusqlite::Connection::open(folder.path().join("relay.db"))
        .unwrap()
        .execute("UPDATE events SET headers = 'noise' WHERE seq = 3", [])
        .unwrap();

    let mut agent = relay.agent("crm").await;

    assert_eq!(agent.events(2).await[1].seq, Seq(2));
    let told = agent.frame().await;
    let Some(RelayFrame::Notice(Notice::Gap { from, to, .. })) = told else {
        panic!("expected a gap, got {told:?}");
    };
    assert_eq!((from, to), (Seq(3), Seq(3)));
    post(relay.address, &path, "4").await;
    assert_eq!(agent.event().await.seq, Seq(4));
    relay.stop().await;
}

/// Counts the warnings about frames on this thread.
#[derive(Debug, Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().contains("session")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn unknown_frames_are_one_line_a_session_in_the_log() {
    let warnings = Warnings::default();
    // The relay runs on the single thread of this test.
    let _logging = tracing::subscriber::set_default(warnings.clone());
    let relay = TestRelay::new().await;

    for (session, tunnel) in ["crm", "shop"].into_iter().enumerate() {
        let mut agent = relay.agent(tunnel).await;
        for number in 0..5 {
            let frame = format!(r#"{{"type":"from-the-future-{number}","x":1}}"#);
            agent.raw(Message::text(frame)).await;
        }
        assert!(agent.is_quiet().await, "the session goes on");
        assert_eq!(warnings.0.load(Ordering::Relaxed), session + 1);
        agent.leave().await;
    }
    relay.stop().await;
}

/// Copies the files of a relay's database as a crash would leave them now.
fn crash_image(data_dir: &Path) -> TempDir {
    let image = tempdir().unwrap();
    for name in ["relay.db", "relay.db-wal"] {
        std::fs::copy(data_dir.join(name), image.path().join(name)).unwrap();
    }
    image
}

#[tokio::test]
async fn a_crash_between_acknowledgement_and_deletion_sends_events_again() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let mut agent = relay.agent("crm").await;
    let (image, sent) = loop {
        post(relay.address, &agent.path(), "x").await;
        let sent = agent.event().await;
        agent.ack(sent.seq).await;
        assert!(agent.is_quiet().await, "the acknowledgement is taken");
        let image = crash_image(folder.path());
        let waiting: u64 = rusqlite::Connection::open(image.path().join("relay.db"))
            .unwrap()
            .query_row("SELECT count(*) FROM events", [], |row| row.get(0))
            .unwrap();
        // On a slow machine, the event may already be deleted.
        if waiting > 0 {
            break (image, sent);
        }
    };
    relay.stop().await;

    let after_crash = TestRelay::start(image.path()).await;
    let mut agent = after_crash.agent("crm").await;
    let again = agent
        .events(usize::try_from(agent.welcome.backlog).unwrap())
        .await;

    assert_eq!(again.last(), Some(&sent), "the same event, with its id");
    agent.ack(sent.seq).await;
    agent.leave().await;
    after_crash.stop().await;
    let after_a_good_end = TestRelay::start(folder.path()).await;
    assert_eq!(after_a_good_end.agent("crm").await.welcome.backlog, 0);
}
