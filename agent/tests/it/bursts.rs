//! Tests that many events of one kind within seconds are one row of a folded page, and that each of
//! them stays available.

use std::ops::Range;
use std::time::Duration;

use crate::support::{after_hours, event, history_of, no_headers};
use jiff::Timestamp;
use podtap_agent::history::Retention;
use podtap_agent::history::{
    Anchor, Attempt, DeliveryState, EventRow, Filter, FoldedQuery, History, HistoryRow, NewAttempt,
    NewEvent, Outcome, PageQuery, Position, Writer, WriterThread,
};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::task::JoinSet;

struct Store {
    _folder: TempDir,
    writer: Writer,
    _thread: WriterThread,
    history: History,
}

/// Returns events of one kind, `apart` milliseconds apart.
fn events(numbers: Range<u64>, kind: &str, from: i64, apart: i64) -> Vec<NewEvent> {
    let one = |(index, number): (usize, u64)| {
        let mut event = event(number, &format!("type={kind}&item_id={number}&hook_id=7"));
        let after = apart * i64::try_from(index).unwrap();
        event.request.received_at = Timestamp::from_millisecond(from + after).unwrap();
        event.state = DeliveryState::Held;
        event
    };
    numbers.enumerate().map(one).collect()
}

impl Store {
    async fn with(groups: Vec<Vec<NewEvent>>) -> Self {
        let folder = TempDir::new().unwrap();
        let path = history_of(&folder);
        let (writer, thread) = Writer::open(&path, |_| {}).unwrap();
        for group in groups {
            writer.append(group).await.unwrap();
        }
        Self {
            history: History::open_read_only(&path).unwrap(),
            _folder: folder,
            writer,
            _thread: thread,
        }
    }

    async fn page(&self, anchor: Anchor, limit: usize, opened: &[i64]) -> Vec<EventRow> {
        self.page_keeping(None, anchor, limit, opened).await
    }

    async fn page_keeping(
        &self,
        kept: Option<i64>,
        anchor: Anchor,
        limit: usize,
        opened: &[i64],
    ) -> Vec<EventRow> {
        let opened = opened.iter().copied().map(Position).collect();
        let query = FoldedQuery {
            anchor,
            limit,
            opened,
            kept: kept.map(Position),
        };
        let rows = self.history.folded_page(query).await.unwrap();
        rows.iter().filter_map(HistoryRow::event).cloned().collect()
    }

    /// Returns the ranges of all rows, newest first.
    async fn fold_bursts(&self, opened: &[i64]) -> Vec<(i64, i64)> {
        ranges(&self.page(Anchor::Newest, 1000, opened).await)
    }
}

fn ranges(rows: &[EventRow]) -> Vec<(i64, i64)> {
    let range = |row: &EventRow| (row.oldest().0, row.position.0);
    rows.iter().map(range).collect()
}

/// Stores 2 events, a burst of 100, 1 event, a burst of 40.
async fn two_bursts() -> Store {
    Store::with(vec![
        events(1..3, "item.create", 0, 10),
        events(3..103, "item.update", 5_000, 20),
        events(103..104, "task.create", 8_000, 0),
        events(104..144, "item.create", 9_000, 100),
    ])
    .await
}

#[tokio::test]
async fn bursts_are_one_row_each_and_open_when_asked() {
    let store = two_bursts().await;
    let folded = [(104, 143), (103, 103), (3, 102), (2, 2), (1, 1)];
    assert_eq!(store.fold_bursts(&[]).await, folded);
    assert_eq!(store.fold_bursts(&[3]).await.len(), 104);
    assert_eq!(store.fold_bursts(&[104, 3]).await.len(), 143);

    let all = PageQuery {
        filter: Filter::default(),
        anchor: Anchor::Newest,
        limit: 1000,
    };
    assert_eq!(store.history.page(all).await.unwrap().len(), 143);
}

#[tokio::test]
async fn hooks_that_alternate_are_one_burst_and_a_crowd_of_them_is_none() {
    let alternating = |hooks: u64| {
        let mut events = events(1..101, "item.create", 5_000, 20);
        for (index, event) in (0_u64..).zip(&mut events) {
            let body = format!("type=item.create&item_id=7&hook_id={}", index % hooks);
            event.request.body = body.into();
        }
        Store::with(vec![events])
    };
    assert_eq!(alternating(2).await.fold_bursts(&[]).await, [(1, 100)]);
    assert_eq!(alternating(4).await.fold_bursts(&[]).await, [(1, 100)]);
    assert_eq!(alternating(50).await.fold_bursts(&[]).await.len(), 100);
}

#[tokio::test]
async fn an_event_that_is_kept_is_a_row_of_its_own_wherever_a_page_begins() {
    let store = two_bursts().await;
    let rest = [(3, 102), (2, 2), (1, 1)];
    for (kept, parts) in [
        (104, vec![(105, 143), (104, 104)]),
        (105, vec![(106, 143), (105, 105), (104, 104)]),
        (120, vec![(121, 143), (120, 120), (104, 119)]),
        (142, vec![(143, 143), (142, 142), (104, 141)]),
        (143, vec![(143, 143), (104, 142)]),
    ] {
        let whole: Vec<_> = parts.into_iter().chain([(103, 103)]).chain(rest).collect();
        let page = |anchor, limit| store.page_keeping(Some(kept), anchor, limit, &[]);
        let newest = page(Anchor::Newest, 10).await;
        assert_eq!(ranges(&newest), whole, "{kept}");
        let oldest = page(Anchor::After(Position(0)), 10).await;
        assert_eq!(ranges(&oldest), whole, "{kept}");
        let around = page(Anchor::Around(Position(kept)), 20).await;
        assert_eq!(ranges(&around), whole, "{kept}");
        for (at, (_, last)) in whole.iter().enumerate() {
            let above = page(Anchor::After(Position(*last)), 20).await;
            assert_eq!(ranges(&above), whole[..at], "{kept} after {last}");
            let below = page(Anchor::Before(Position(*last + 1)), 20).await;
            assert_eq!(ranges(&below), whole[at..], "{kept} before {last}");
        }
        let events = |row: &EventRow| row.burst.as_ref().map_or(1, |burst| burst.events);
        assert_eq!(newest.iter().map(events).sum::<u64>(), 143);
    }
}

#[tokio::test]
async fn a_burst_says_how_many_how_fast_and_what_came_of_them() {
    let store = two_bursts().await;
    for (number, status, millis) in [(5, 200, 40), (6, 500, 380), (7, 404, 12)] {
        let id = event(number, "").id;
        let stored = store.history.event(id).await.unwrap().unwrap();
        let attempt = NewAttempt {
            position: stored.position,
            again: false,
            others: Vec::new(),
            attempt: Attempt {
                number: 0,
                event: id,
                replay: false,
                imported: false,
                url: "http://localhost:3000/".to_owned(),
                target: None,
                edited: None,
                started_at: Timestamp::now(),
                duration: Duration::from_millis(millis),
                outcome: Outcome::Answered {
                    status,
                    headers: no_headers(),
                    body: "".into(),
                    body_bytes: 0,
                },
            },
        };
        store.writer.record(attempt).await.unwrap();
    }

    let rows = store.page(Anchor::Newest, 10, &[]).await;

    let burst = rows[2].burst.as_ref().unwrap();
    assert_eq!((burst.events, burst.per_second()), (100, 50));
    assert_eq!((burst.answered, burst.failed), (1, 2));
    assert_eq!(burst.slowest, Some(Duration::from_millis(380)));
    assert_eq!(rows[1].burst, None);
}

#[tokio::test]
async fn only_many_of_a_kind_without_a_pause_are_a_burst() {
    for (what, groups) in [
        ("too few", vec![events(1..30, "item.update", 0, 10)]),
        ("too slow", vec![events(1..200, "item.update", 0, 500)]),
        (
            "a pause between",
            vec![
                events(1..21, "item.update", 0, 10),
                events(21..41, "item.update", 5_000, 10),
            ],
        ),
        (
            "two kinds in turns",
            (1..80)
                .map(|n| {
                    let kind = ["item.create", "item.update"][usize::from(n % 2 == 0)];
                    let at = i64::try_from(n).unwrap();
                    events(n..n + 1, kind, at, 0)
                })
                .collect(),
        ),
    ] {
        let store = Store::with(groups).await;
        let rows = store.page(Anchor::Newest, 1000, &[]).await;
        assert!(rows.iter().all(|row| row.burst.is_none()), "{what}");
    }
}

#[tokio::test]
async fn a_burst_grows_with_what_is_appended_and_ends_at_a_bound() {
    let store = Store::with(vec![events(1..41, "item.update", 0, 1)]).await;
    assert_eq!(store.fold_bursts(&[]).await, [(1, 40)]);
    let more = events(41..4_201, "item.update", 41, 1);
    store.writer.append(more).await.unwrap();
    let folded = store.fold_bursts(&[]).await;
    assert_eq!(folded, [(4_001, 4_200), (2_001, 4_000), (1, 2_000)]);

    // Read after the position at which it ended before, the burst is returned as a whole.
    let newer = store.page(Anchor::After(Position(40)), 10, &[]).await;
    assert_eq!(ranges(&newer), folded);
}

#[tokio::test]
async fn retention_takes_a_burst_along() {
    let store = two_bursts().await;
    let age = Retention {
        max_events: 20,
        ..Retention::default()
    };
    let now = after_hours(1);
    while store.writer.retain(age.clone(), now).await.unwrap() {}
    let rows = store.page(Anchor::Newest, 10, &[]).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].burst.as_ref().unwrap().events, 20);
}

#[tokio::test]
async fn what_retention_leaves_of_a_burst_without_its_newest_event_is_shown() {
    let mut burst = events(1..41, "item.update", 0, 1);
    burst[0].state = DeliveryState::Pending;
    burst[9].state = DeliveryState::Pending;
    let after = events(41..43, "task.create", 9_000, 0);
    let store = Store::with(vec![burst, after]).await;
    let few = Retention {
        max_events: 3,
        ..Retention::default()
    };
    let now = after_hours(1);
    while store.writer.retain(few.clone(), now).await.unwrap() {}

    let folded = [(42, 42), (1, 10)];
    assert_eq!(store.fold_bursts(&[]).await, folded);
    let below = store.page(Anchor::Before(Position(42)), 10, &[]).await;
    assert_eq!(ranges(&below), [(1, 10)]);
    let above = store.page(Anchor::After(Position(10)), 10, &[]).await;
    assert_eq!(ranges(&above), [(42, 42)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_read_while_a_burst_grows_shows_every_event_once() {
    let store = Store::with(vec![events(1..41, "item.update", 0, 1)]).await;
    let writer = store.writer.clone();
    let mut grows = JoinSet::new();
    grows.spawn(async move {
        for number in 41..1_041 {
            let one = events(number..number + 1, "item.update", 41, 0);
            writer.append(one).await.unwrap();
        }
    });
    let ended = loop {
        if let Some(ended) = grows.try_join_next() {
            break ended;
        }
        let rows = store.fold_bursts(&[]).await;
        let [(1, _)] = rows.as_slice() else {
            panic!("one burst and nothing beside it: {rows:?}");
        };
    };
    ended.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn walking_page_by_page_shows_every_event_once(
        groups in prop::collection::vec((1_u64..90, 0_i64..400, 0..2_usize), 1..8),
        limit in 1_usize..9,
        opened in prop::collection::vec(1_i64..400, 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut number, mut at, mut made) = (1, 0, Vec::new());
            for (many, apart, kind) in groups {
                let kind = ["item.create", "item.update"][kind];
                made.push(events(number..number + many, kind, at, apart));
                number += many;
                at += 2_000 + apart * i64::try_from(many).unwrap();
            }
            let store = Store::with(made).await;
            let all = store.fold_bursts(&opened).await;
            let total: i64 = all.iter().map(|(first, last)| last - first + 1).sum();
            assert_eq!(total, i64::try_from(number).unwrap() - 1);

            let (mut down, mut anchor) = (Vec::new(), Anchor::Newest);
            loop {
                let page = ranges(&store.page(anchor, limit, &opened).await);
                let Some((first, _)) = page.last() else { break };
                anchor = Anchor::Before(Position(*first));
                down.extend(page);
            }
            assert_eq!(&down, &all);

            let (mut up, mut anchor) = (Vec::new(), Anchor::After(Position(i64::MIN)));
            loop {
                let page = ranges(&store.page(anchor, limit, &opened).await);
                let Some((_, last)) = page.first() else { break };
                anchor = Anchor::After(Position(*last));
                up.splice(0..0, page);
            }
            assert_eq!(&up, &all);

            for (first, last) in &all {
                let around = Anchor::Around(Position(first.midpoint(*last)));
                let page = ranges(&store.page(around, limit, &opened).await);
                assert!(page.contains(&(*first, *last)), "{page:?} lacks {first} to {last}");
            }
        });
    }
}
