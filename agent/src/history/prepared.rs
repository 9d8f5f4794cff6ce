//! Tests that the statements of the hot path stay prepared: each is parsed once per connection,
//! however often it runs and with any parameters.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};
use rusqlite::Connection;
use rusqlite::StatementStatus;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::ages::Ages;
use super::burst::Bursts;
use super::fact::{self, Fact};
use super::insight::Duplicate;
use super::job::Hands;
use super::position::EventKey;
use super::tally::Tally;
use super::write::{NewAttempt, NewEvent};
use super::{Attempt, DeliveryState, Outcome, Position};
use super::{connection, index, page, store, watch};

/// Records each statement of `connection` that sorts. Sorting needs a table in memory each time; an
/// index returns what the hot path needs in the right order.
fn forbid_sorting(connection: &mut Connection) {
    let trace = |event: TraceEvent<'_>| {
        if let TraceEvent::Profile(statement, _) = event
            && statement.get_status(StatementStatus::Sort) > 0
        {
            SORTED.with_borrow_mut(|sorted| sorted.insert(statement.sql().into_owned()));
        }
    };
    let profile = TraceEventCodes::SQLITE_TRACE_PROFILE;
    connection.trace_v2(profile, Some(trace)).unwrap();
}

/// Returns how many statements are parsed in the second and third run of `work`.
fn parsed_again(connection: &mut Connection, mut work: impl FnMut(&mut Connection, u8)) -> usize {
    let parsed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&parsed);
    let authorizer = move |context: AuthContext<'_>| {
        // BEGIN and COMMIT are not kept prepared: parsing them is cheap.
        if !matches!(context.action, AuthAction::Transaction { .. }) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Authorization::Allow
    };
    connection.authorizer(Some(authorizer)).unwrap();
    forbid_sorting(connection);
    work(connection, 1);
    let first = parsed.load(Ordering::Relaxed);
    assert!(first > 0, "it counts");
    work(connection, 2);
    work(connection, 3);
    parsed.load(Ordering::Relaxed) - first
}

thread_local! {
    /// The SQL of statements that sorted.
    static SORTED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

fn event(number: u8) -> NewEvent {
    let body = format!("type=item.update&item_id=1&item_revision_id={number}&hook_id=7");
    NewEvent {
        id: EventId::from_bytes([number; 16]),
        seq: Some(Seq(u64::from(number))),
        request: WebhookRequest {
            received_at: Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: HeaderList::default(),
            peer: None,
            body: body.into(),
        },
        state: DeliveryState::Pending,
    }
}

fn attempt(number: u8) -> NewAttempt {
    NewAttempt {
        position: Position(i64::from(number)),
        again: true,
        others: Vec::new(),
        attempt: Attempt {
            event: EventId::from_bytes([number; 16]),
            number: 1,
            replay: false,
            imported: false,
            url: "http://localhost:3000/".to_owned(),
            target: None,
            edited: None,
            started_at: Timestamp::UNIX_EPOCH,
            duration: Duration::ZERO,
            outcome: Outcome::Failed {
                error: "away".to_owned(),
            },
        },
    }
}

#[test]
fn the_statements_of_the_hot_path_are_prepared_once_and_sort_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let mut writing = connection::read_write(&path).unwrap();
    let (mut bursts, mut ages) = (Bursts::default(), Ages::default());
    let written = parsed_again(&mut writing, |connection, number| {
        let transaction = connection.transaction().unwrap();
        let mut hands = Hands::new(&transaction, &mut bursts, &mut ages, Tally::default(), true);
        store::append(&mut hands, &[event(number)], 0).unwrap();
        store::record(&mut hands, &attempt(number)).unwrap();
        let key = EventKey {
            position: Position(i64::from(number)),
            id: EventId::from_bytes([number; 16]),
        };
        let duplicate = Duplicate {
            of: Position(1),
            same_hook: true,
        };
        let marks = [
            Fact::Duplicate {
                event: key,
                duplicate,
            },
            Fact::Watched(key.position),
        ];
        fact::write(&mut hands, &marks).unwrap();
        index::step(&transaction).unwrap();
        transaction.commit().unwrap();
    });
    let mut reading = connection::read_only(&path).unwrap();
    let read = parsed_again(&mut reading, |connection, number| {
        let (from, limit) = (Position(i64::from(number) - 1), usize::from(number));
        let page = page::pending(connection, from, limit, usize::MAX).unwrap();
        assert!(!page.events.is_empty());
        let (arrivals, _) = watch::next_arrivals(connection, from, limit).unwrap();
        assert!(!arrivals.is_empty());
    });

    assert_eq!((written, read), (0, 0));
    let sorted = SORTED.take();
    assert!(sorted.is_empty(), "{sorted:#?}");
}
