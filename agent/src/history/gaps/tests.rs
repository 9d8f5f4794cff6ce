//! Tests the positions of gaps among events, and that gaps are not treated as events.

use bytes::Bytes;
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};

use super::*;
use crate::history::fact::Fact;
use crate::history::{
    Anchor, DeliveryState, Filter, FoldedQuery, History, NewEvent, PageQuery, Retention, Writer,
    WriterThread,
};

struct Past {
    _folder: tempfile::TempDir,
    history: History,
    writer: Writer,
    _thread: WriterThread,
    events: u64,
    /// Whether all events arrive at the same moment.
    at_once: bool,
}

impl Past {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let (writer, thread) = Writer::open(&path, |_| {}).unwrap();
        Self {
            history: History::open_read_only(&path).unwrap(),
            _folder: folder,
            writer,
            _thread: thread,
            events: 0,
            at_once: false,
        }
    }

    async fn events(&mut self, many: u64) {
        let at_once = self.at_once;
        let event = |number: u64| NewEvent {
            id: EventId::from_bytes(u128::from(number).to_be_bytes()),
            seq: Some(Seq(number)),
            request: WebhookRequest {
                received_at: Timestamp::from_second(if at_once { 0 } else { number.cast_signed() })
                    .unwrap(),
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: HeaderList::default(),
                peer: None,
                body: Bytes::from_static(b"type=item.update&item_id=1&hook_id=7"),
            },
            state: DeliveryState::Held,
        };
        let first = self.events + 1;
        self.events += many;
        let events = (first..=self.events).map(event).collect();
        self.writer.append(events).await.unwrap();
    }

    async fn gap(&self, incident: Incident) {
        let facts = vec![Fact::Incident(incident)];
        self.writer.add_facts(facts).await.unwrap();
    }

    /// Returns the rows of a page, newest first: `5` for an event, `(4)` for a gap.
    async fn page(&self, anchor: Anchor, limit: usize) -> String {
        let query = FoldedQuery {
            anchor,
            limit,
            opened: Vec::new(),
            kept: None,
        };
        let rows = self.history.folded_page(query).await.unwrap();
        let words = rows.iter().map(|row| match row {
            HistoryRow::Event(row) => row.position.0.to_string(),
            HistoryRow::Gap(gap) => format!("({})", gap.position.0),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn removed_range(from: u64, to: u64) -> Incident {
    Incident::Gap {
        from: Seq(from),
        to: Seq(to),
        reason: "its age".to_owned(),
    }
}

#[tokio::test]
async fn a_gap_has_a_place_of_its_own_and_is_no_event() {
    let mut past = Past::new();
    past.gap(removed_range(1, 2)).await;
    past.events(2).await;
    past.gap(removed_range(5, 9)).await;
    past.gap(Incident::Refused {
        count: 3,
        reason: "rate".to_owned(),
        last_at: Timestamp::MAX,
    })
    .await;
    past.events(1).await;

    assert_eq!(past.page(Anchor::Newest, 9).await, "6 (5) (4) 3 2 (1)");
    // Pages of every size and position, from both ends, are parts of the same list.
    assert_eq!(past.page(Anchor::Newest, 2).await, "6 (5)");
    assert_eq!(past.page(Anchor::Before(Position(5)), 2).await, "(4) 3");
    assert_eq!(past.page(Anchor::Before(Position(2)), 2).await, "(1)");
    assert_eq!(past.page(Anchor::After(Position(3)), 2).await, "(5) (4)");
    assert_eq!(
        past.page(Anchor::After(Position(i64::MIN)), 3).await,
        "3 2 (1)"
    );
    assert_eq!(
        past.page(Anchor::Around(Position(4)), 4).await,
        "6 (5) (4) 3"
    );

    let all = Filter::default();
    assert_eq!(past.history.count(all.clone()).await.unwrap(), 3);
    let query = PageQuery {
        filter: all,
        anchor: Anchor::Newest,
        limit: 9,
    };
    assert_eq!(past.history.page(query).await.unwrap().len(), 3);
    let after = past.history.events_after(Position(3), 9).await.unwrap();
    assert_eq!(after.len(), 1);

    let gaps = past.history.gaps(Position(1), Position(6)).await.unwrap();
    let known: Vec<_> = gaps.iter().map(|gap| (gap.count(), gap.since)).collect();
    let before = Timestamp::from_second(2).ok();
    assert_eq!(known, [(Some(5), before), (Some(3), before)]);
    assert_eq!(gaps[0].cure(), "podtap repair --since 1970-01-01T00:00:02Z");
}

#[tokio::test]
async fn a_gap_divides_a_burst() {
    let mut past = Past::new();
    past.at_once = true;
    past.events(40).await;
    past.gap(removed_range(41, 42)).await;
    past.events(40).await;
    assert_eq!(past.page(Anchor::Newest, 9).await, "81 (41) 40");
}

#[tokio::test]
async fn gaps_go_with_the_events_before_them_and_are_bounded() {
    let mut past = Past::new();
    past.gap(removed_range(1, 2)).await;
    past.events(3).await;
    past.gap(removed_range(6, 7)).await;
    past.events(1).await;
    let retention = Retention {
        max_events: 1,
        ..Retention::default()
    };
    let now = podtap_disk::age::Now::read();
    past.writer.retain(retention, now).await.unwrap();
    assert_eq!(past.page(Anchor::Newest, 9).await, "6");

    for from in 0..u64::from(MAX_GAPS) + 5 {
        let facts = vec![Fact::Incident(removed_range(from, from))];
        past.writer.add_facts_soon(facts).await.unwrap();
    }
    past.events(1).await;
    let (low, high) = (Position(i64::MIN), Position(i64::MAX));
    let gaps = past.history.gaps(low, high).await.unwrap();
    assert_eq!(gaps.len(), MAX_GAPS as usize);
}
