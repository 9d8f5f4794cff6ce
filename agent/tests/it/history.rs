//! Tests the history from its users' view: appended events stay, once, in order, and can be found.

use std::time::Duration;

use crate::support::{after_hours, event, eventually, history_of, item_update, no_headers};
use jiff::Timestamp;
use podtap_agent::history::Retention;
use podtap_agent::history::{
    Anchor, Attempt, DeliveryState, EventRow, Filter, History, HistoryChange, HistoryError,
    NewAttempt, NewEvent, Outcome, PageQuery, Position, SavedFilters, Writer, WriterThread,
};
use podtap_disk::age::Now;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::broadcast;

/// Returns two saved filters: one of fields only, one with words.
fn saved_filters() -> SavedFilters {
    let filters = [
        ("lively", "hook:8 -status:5xx"),
        ("wordy", "method:GET safari"),
    ];
    let owned = filters.map(|(name, text)| (name.to_owned(), text.to_owned()));
    SavedFilters::new(owned, Timestamp::now()).unwrap()
}

struct Store {
    folder: TempDir,
    writer: Writer,
    thread: WriterThread,
    history: History,
    changes: broadcast::Receiver<HistoryChange>,
}

impl Store {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (sender, changes) = broadcast::channel(1024);
        let (writer, thread) = Writer::open(&history_of(&folder), move |change| {
            let _ = sender.send(change);
        })
        .unwrap();
        let history = History::open_read_only(&history_of(&folder)).unwrap();
        Self {
            folder,
            writer,
            thread,
            history,
            changes,
        }
    }

    async fn with(events: Vec<NewEvent>) -> Self {
        let store = Self::new();
        store.writer.append(events).await.unwrap();
        store
    }

    async fn page(&self, filter: &str, anchor: Anchor, limit: usize) -> Vec<EventRow> {
        let filter = Filter::parse(filter, Timestamp::now(), &saved_filters()).unwrap();
        self.history
            .page(PageQuery {
                filter,
                anchor,
                limit,
            })
            .await
            .unwrap()
    }

    /// Returns the numbers of the events that a filter finds,
    /// oldest first; checks that counting finds as many.
    async fn numbers(&self, text: &str) -> Vec<u64> {
        let rows = self.page(text, Anchor::Newest, 1000).await;
        let filter = Filter::parse(text, Timestamp::now(), &saved_filters()).unwrap();
        let count = self.history.count(filter).await.unwrap();
        assert_eq!(count, rows.len() as u64, "{text}");
        let mut numbers: Vec<u64> = rows.iter().map(|row| number(row.id)).collect();
        numbers.reverse();
        numbers
    }

    async fn attempt(&self, event: &NewEvent, outcome: Outcome) {
        let stored = self.history.event(event.id).await.unwrap().unwrap();
        let attempt = NewAttempt {
            position: stored.position,
            again: false,
            others: Vec::new(),
            attempt: Attempt {
                number: 0,
                event: event.id,
                replay: false,
                imported: false,
                url: "http://localhost:3000/podio/hook".to_owned(),
                target: None,
                edited: None,
                started_at: Timestamp::now(),
                duration: Duration::from_micros(1500),
                outcome,
            },
        };
        self.writer.record(attempt).await.unwrap();
    }
}

fn number(id: podtap_wire::EventId) -> u64 {
    u64::from_be_bytes(id.to_bytes()[8..].try_into().unwrap())
}

fn answered_outcome(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        headers: [("x-a", "1")].into_iter().collect(),
        body: "body".into(),
        body_bytes: 4,
    }
}

#[tokio::test]
async fn an_event_is_kept_byte_for_byte_and_decoded() {
    let mut sent = item_update(1, 4711);
    sent.request.headers.push("x-raw", vec![0xff, 0x80]);
    let store = Store::with(vec![sent.clone()]).await;

    let kept = store.history.event(sent.id).await.unwrap().unwrap();

    assert_eq!(
        (kept.id, kept.seq, kept.state),
        (sent.id, sent.seq, DeliveryState::Pending)
    );
    assert_eq!(kept.request, sent.request);
    assert_eq!(
        kept.podio.unwrap().object().unwrap().to_string(),
        "item 4711"
    );
    let row = store.page("", Anchor::Newest, 10).await.remove(0);
    assert_eq!(row.event_type.as_deref(), Some("item.update"));
    assert_eq!(
        (row.revision, row.hook_id, row.attempts),
        (Some(1), Some(7), 0)
    );
    assert_eq!(row.body_bytes, sent.request.body.len() as u64);
}

#[tokio::test]
async fn a_second_arrival_of_an_event_is_the_same_event() {
    let store = Store::with(vec![event(1, "a"), event(2, "b")]).await;

    let mut again = event(2, "changed");
    again.seq = Some(podtap_wire::Seq(99));
    let appended = store
        .writer
        .append(vec![again, event(3, "c"), event(3, "c")])
        .await
        .unwrap();

    assert_eq!((appended.new, appended.known), (1, 2));
    assert_eq!(store.numbers("").await, [1, 2, 3]);
    let kept = store.history.event(event(2, "").id).await.unwrap().unwrap();
    assert_eq!(&kept.request.body[..], b"b");
}

#[tokio::test]
async fn pages_go_by_position_newest_first_in_both_directions() {
    let store = Store::with((1..=10).map(|n| event(n, "x")).collect()).await;
    let positions = async |anchor, limit| -> Vec<i64> {
        store
            .page("", anchor, limit)
            .await
            .iter()
            .map(|row| row.position.0)
            .collect()
    };

    assert_eq!(positions(Anchor::Newest, 3).await, [10, 9, 8]);
    assert_eq!(positions(Anchor::Before(Position(8)), 3).await, [7, 6, 5]);
    assert_eq!(positions(Anchor::After(Position(3)), 3).await, [6, 5, 4]);
    assert_eq!(
        positions(Anchor::Around(Position(5)), 4).await,
        [7, 6, 5, 4]
    );
    assert_eq!(
        positions(Anchor::Around(Position(10)), 4).await,
        [10, 9, 8, 7]
    );
    assert_eq!(store.history.newest().await.unwrap(), Some(Position(10)));
}

#[tokio::test]
async fn every_term_of_a_filter_finds_what_it_says() {
    let mut get = event(4, "plain text about Safari");
    get.request.method = "GET".to_owned();
    get.request.path = "/other?q=[1]".to_owned();
    get.request.headers = no_headers();
    get.request.headers.push("content-type", "text/plain");
    let events = vec![
        item_update(1, 4711),
        event(2, "type=item.create&item_id=5&external_id=BUG-17&hook_id=8"),
        event(
            3,
            "type=comment.create&item_id=4711&comment_id=6&hook_id=8&note=L%C3%B6gin",
        ),
        get,
        event(5, "type=hook.verify&hook_id=7&code=abc"),
    ];
    let store = Store::with(events.clone()).await;
    store.attempt(&events[0], answered_outcome(200)).await;
    store.attempt(&events[1], answered_outcome(503)).await;
    store
        .attempt(
            &events[2],
            Outcome::Failed {
                error: "no answer".to_owned(),
            },
        )
        .await;
    // Words are indexed a moment later, in the events' order.
    eventually("the last event's words are indexed", || async {
        match store.page("verify", Anchor::Newest, 10).await.len() {
            1 => Ok(()),
            found => Err(found.to_string()),
        }
    })
    .await;

    for (filter, expected) in [
        ("type:item.*", &[1, 2][..]),
        ("type:*.create", &[2, 3]),
        ("item:4711", &[1, 3]),
        ("item:4711 type:item.update", &[1]),
        ("hook:8", &[2, 3]),
        ("revision:1", &[1]),
        ("status:200", &[1]),
        ("status:5xx", &[2]),
        ("status:>=200", &[1, 2]),
        ("status:error", &[3]),
        ("status:pending", &[4, 5]),
        ("-status:200", &[2, 3, 4, 5]),
        ("path:/oth", &[4]),
        ("path:*q=[1]", &[4]),
        ("-path:/podio", &[4]),
        ("method:get", &[4]),
        ("external:BUG-17", &[2]),
        ("external:BUG*", &[2]),
        ("external:bug-17", &[]),
        ("code:abc", &[5]),
        ("-type:hook.verify", &[1, 2, 3, 4]),
        ("-external:BUG-17", &[1, 3, 4, 5]),
        ("after:1h", &[1, 2, 3, 4, 5]),
        ("before:1h", &[]),
        ("safari", &[4]),
        ("\"text about\"", &[4]),
        ("\"about text\"", &[]),
        ("logi", &[3]),
        ("safari -plain", &[]),
        ("-safari type:item.*", &[1, 2]),
        ("safari plain", &[4]),
        ("replayed:no item:5", &[2]),
        ("replayed:yes", &[]),
        ("id:0000000000", &[1, 2, 3, 4, 5]),
        ("id:01", &[]),
        ("@lively", &[3]),
        ("-@lively", &[1, 2, 4, 5]),
        ("-@lively item:4711", &[1]),
        ("@wordy", &[4]),
        ("-@wordy -safari", &[1, 2, 3, 5]),
        ("-@wordy -@lively", &[1, 2, 5]),
    ] {
        assert_eq!(store.numbers(filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_mark_that_nothing_has_and_its_opposite_are_told_apart() {
    let bodies = ["type=item.update&item_id=1", "type=hook.verify&hook_id=7"];
    let events = (1..).zip(bodies).map(|(number, body)| event(number, body));
    let store = Store::with(events.collect()).await;
    for (filter, expected) in [
        ("missing:no duplicate:no", &[1, 2][..]),
        ("missing:yes", &[]),
        ("duplicate:yes", &[]),
        ("late:yes", &[]),
        ("repaired:yes", &[]),
        ("repaired:no", &[1, 2]),
        ("verified:no", &[2]),
        ("verified:yes", &[]),
        ("-verified:no", &[1]),
    ] {
        assert_eq!(store.numbers(filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn pages_of_a_parameter_go_on_where_the_last_one_ended() {
    let with = |number| event(number, "type=item.update&item_id=1&external_id=BUG-17");
    let store = Store::with((1..=5).map(with).collect()).await;
    eventually("the words are indexed", || async {
        match store.page("update", Anchor::Newest, 10).await.len() {
            5 => Ok(()),
            found => Err(found.to_string()),
        }
    })
    .await;
    let places =
        |rows: Vec<EventRow>| -> Vec<i64> { rows.iter().map(|row| row.position.0).collect() };
    for (anchor, expected) in [
        (Anchor::Newest, &[5, 4][..]),
        (Anchor::Before(Position(4)), &[3, 2]),
        (Anchor::Before(Position(2)), &[1]),
        (Anchor::After(Position(1)), &[3, 2]),
        (Anchor::After(Position(4)), &[5]),
        (Anchor::Around(Position(3)), &[4, 3]),
    ] {
        let page = store.page("external:BUG-17", anchor, 2).await;
        assert_eq!(places(page), expected, "{anchor:?}");
    }
}

#[tokio::test]
async fn ids_are_found_in_part() {
    let store = Store::with(vec![event(1, "a"), event(2, "b"), event(33, "c")]).await;
    let find = async |text: &str| -> Vec<u64> {
        store
            .history
            .find(text)
            .await
            .unwrap()
            .into_iter()
            .map(number)
            .collect()
    };

    let full = event(2, "").id.to_string();
    assert_eq!(find(&full).await, [2]);
    assert_eq!(find(&full.to_lowercase()).await, [2]);
    assert_eq!(find("0000").await, [33, 2, 1]);
    assert_eq!(find("11").await, [33]);
    assert_eq!(find("0000…2").await, [2]);
    assert_eq!(find("0..01").await, [1]);
    for nothing in ["", "…", "Z", "a b", "%", &"0".repeat(40)] {
        assert!(find(nothing).await.is_empty(), "{nothing}");
    }
}

#[tokio::test]
async fn a_burst_is_searchable_soon_and_a_change_says_when() {
    let mut store = Store::with((0..1000).map(|n| event(n, &format!("needle{n}"))).collect()).await;

    eventually("the last one is found", || async {
        let found = store.page("needle999", Anchor::Newest, 10).await.len();
        if found == 1 {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
    let through = Position(1000);
    let mut appended = 0;
    while appended < 2 {
        appended +=
            usize::from(store.changes.recv().await.unwrap() == HistoryChange::Appended { through });
    }
}

#[tokio::test]
async fn retention_removes_the_oldest_but_nothing_that_waits_for_its_delivery() {
    let mut events: Vec<NewEvent> = (1..=600).map(|n| event(n, "word")).collect();
    for event in &mut events {
        event.state = DeliveryState::Held;
    }
    events[3].state = DeliveryState::Pending;
    let store = Store::with(events).await;

    let retention = Retention {
        max_age: Duration::from_hours(1),
        max_events: 10,
    };
    while store
        .writer
        .retain(retention.clone(), after_hours(0))
        .await
        .unwrap()
    {}

    assert_eq!(
        store.numbers("").await,
        [4, 592, 593, 594, 595, 596, 597, 598, 599, 600]
    );
    eventually("what is left is searchable, the rest is not", || async {
        let found = store.page("word", Anchor::Newest, 1000).await.len();
        if found == 10 {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
    let appended = store.writer.append(vec![event(601, "x")]).await.unwrap();
    assert_eq!(appended.new, 1);
    assert_eq!(store.history.newest().await.unwrap(), Some(Position(601)));
}

#[tokio::test]
async fn an_event_goes_when_it_was_here_for_the_time_it_is_kept_whatever_the_wall_clock_says() {
    let store = Store::with(held_events(1..=5)).await;
    let retention = Retention {
        max_age: Duration::from_hours(24),
        ..Retention::default()
    };
    let left = async |now: Now| {
        while store.writer.retain(retention.clone(), now).await.unwrap() {}
        store.numbers("").await
    };
    assert_eq!(left(after_hours(0)).await.len(), 5);

    let ahead = Now {
        wall_ms: 31 * 24 * 3_600_000,
        ..after_hours(1)
    };
    assert_eq!(left(ahead).await.len(), 5, "31 days ahead for a while");
    store.writer.append(held_events(6..=7)).await.unwrap();
    assert_eq!(left(after_hours(23)).await.len(), 7);

    assert_eq!(left(after_hours(25)).await, [6, 7]);
    assert_eq!(left(after_hours(49)).await, [0_u64; 0]);
}

fn held_events(numbers: std::ops::RangeInclusive<u64>) -> Vec<NewEvent> {
    let mut events: Vec<NewEvent> = numbers.map(|number| event(number, "x")).collect();
    for event in &mut events {
        event.state = DeliveryState::Held;
    }
    events
}

#[tokio::test]
async fn what_was_appended_is_there_after_the_end_and_positions_go_on() {
    let store = Store::with(vec![event(1, "a")]).await;
    let Store {
        folder,
        writer,
        thread,
        history,
        ..
    } = store;
    drop((writer, history));
    thread.close().await;

    let (writer, thread) = Writer::open(&history_of(&folder), |_| {}).unwrap();
    assert_eq!(writer.tally().borrow().pending, 1);
    writer.append(vec![event(2, "b")]).await.unwrap();
    let history = History::open(&history_of(&folder)).unwrap();
    assert_eq!(history.newest().await.unwrap(), Some(Position(2)));
    thread.close().await;
}

#[tokio::test]
async fn writes_of_another_process_are_noticed_and_ones_own_are_not() {
    let store = Store::with(vec![event(1, "a")]).await;
    assert!(!store.writer.check_for_changes().await.unwrap());

    let (other, thread) = Writer::open(&history_of(&store.folder), |_| {}).unwrap();
    other.append(vec![event(2, "b")]).await.unwrap();
    thread.close().await;

    assert!(store.writer.check_for_changes().await.unwrap());
    assert!(!store.writer.check_for_changes().await.unwrap());
    assert_eq!(store.writer.tally().borrow().newest, Position(2));
}

#[test]
fn a_history_of_a_later_format_is_refused_by_name_and_a_missing_one_too() {
    let folder = TempDir::new().unwrap();
    let path = history_of(&folder);
    assert!(matches!(
        History::open_read_only(&path),
        Err(HistoryError::Missing { .. })
    ));

    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();

    for error in [
        History::open_read_only(&path).unwrap_err(),
        History::open(&path).unwrap_err(),
        Writer::open(&path, |_| {}).unwrap_err(),
    ] {
        assert!(
            matches!(error, HistoryError::Newer { found: 99, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("99"), "{error}");
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(
        history_of(&folder),
        "not a database, but long enough to look at".repeat(50),
    )
    .unwrap();
    assert!(matches!(
        History::open(&history_of(&folder)),
        Err(HistoryError::Open { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_filters_without_an_error_of_the_database(
        texts in prop::collection::vec("-?((type|path|item|x|status|id|external):|@(lively|wordy) )?\\PC{0,12}", 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::with(vec![item_update(1, 4711), event(2, "text")]).await;
            // Words are indexed a moment later, the newest event last: no event may become
            // searchable between a page and its count.
            let newest = Filter::parse("text", Timestamp::now(), &saved_filters()).unwrap();
            while store.history.count(newest.clone()).await.unwrap() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            for text in texts {
                if let Ok(filter) = Filter::parse(&text, Timestamp::now(), &saved_filters()) {
                    let page =
                        PageQuery { filter: filter.clone(), anchor: Anchor::Newest, limit: 10 };
                    let rows = store.history.page(page).await.unwrap();
                    assert_eq!(store.history.count(filter).await.unwrap(), rows.len() as u64);
                }
            }
            store.thread.close().await;
        });
    }
}

#[tokio::test]
async fn a_filter_that_looks_at_many_events_says_where_to_go_on() {
    let mut events: Vec<NewEvent> = (1..=25_000).map(|n| event(n, "nothing")).collect();
    events[2].request.path = "/rare".to_owned();
    let store = Store::with(events).await;
    let look = async |filter: &str, anchor: Anchor| {
        let filter = Filter::parse(filter, Timestamp::now(), &SavedFilters::default()).unwrap();
        let query = PageQuery {
            filter,
            anchor,
            limit: 10,
        };
        store.history.partial_page(query).await.unwrap()
    };

    let (mut anchor, mut looks) = (Anchor::Newest, 0);
    let found = loop {
        let page = look("path:*rare", anchor).await;
        looks += 1;
        assert_eq!(page.newest, Position(25_000));
        match page.older {
            Some(Position(older)) => anchor = Anchor::Before(Position(older + 1)),
            None => break page,
        }
        assert!(page.rows.is_empty());
    };
    assert_eq!((looks, found.rows.len()), (2, 1));
    assert_eq!(found.rows[0].position, Position(3));

    let page = look("path:*rare", Anchor::After(Position(i64::MIN))).await;
    assert_eq!((page.rows.len(), page.newer), (1, None));
    let page = look("path:/podio/hook", Anchor::Newest).await;
    assert_eq!((page.rows.len(), page.older), (10, None));
}
