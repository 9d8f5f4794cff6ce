//! Removes the oldest events beyond an age or a number, a few at a time, so that an append never
//! waits long. An event that still waits for its delivery stays (invariant 1).
//!
//! Age counts only for events that came through a relay. Imported events
//! are as old as their archive, and were imported to be looked at: they
//! are removed only by number, in the order of their arrival here.

use std::time::Duration;

use rusqlite::{Transaction, params};
use tokio::time::Instant;

use super::{burst, gaps};

/// Number of events removed in one step.
const STEP: u64 = 256;

/// Maximum time for which one transaction removes events, because an append may be waiting. A sync
/// and the pages that every transaction rewrites cost as much as some hundred events, so one step
/// per transaction would be too slow for thousands of new events per second.
const LONGEST: Duration = Duration::from_millis(20);

/// Returns a function that returns whether a transaction may continue.
pub(super) fn time_limit() -> impl FnMut() -> bool {
    let begun = Instant::now();
    move || begun.elapsed() < LONGEST
}

/// Limits of the history: whichever is reached first removes the oldest events.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Age at which an event is removed.
    pub max_age: Duration,
    /// Maximum number of events.
    pub max_events: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            max_age: Duration::from_hours(30 * 24),
            max_events: 1_000_000,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removal {
    pub(super) events: usize,
    /// Whether there may be more to remove.
    pub(super) more: bool,
}

/// Counts the events beyond `max_events`. Reads all of them, so it is called once for many steps.
pub(super) fn excess(transaction: &Transaction<'_>, max_events: u64) -> rusqlite::Result<u64> {
    let events: u64 = transaction.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    Ok(events.saturating_sub(max_events))
}

/// Removes the first `excess` events and those up to `through`:
/// at least one step, and more while there `is_time`.
pub(super) fn steps(
    transaction: &Transaction<'_>,
    excess: u64,
    through: i64,
    mut is_time: impl FnMut() -> bool,
) -> rusqlite::Result<Removal> {
    let mut all = Removal {
        events: 0,
        more: true,
    };
    while all.more && (all.events == 0 || is_time()) {
        let left = excess.saturating_sub(all.events as u64);
        let removed = step(transaction, left, through)?;
        all.events += removed.events;
        all.more = removed.more;
    }
    // Records of damaged events are removed when the events would have been.
    transaction
        .prepare_cached("DELETE FROM damaged WHERE position < (SELECT min(position) FROM events)")?
        .execute([])?;
    gaps::forget(transaction)?;
    Ok(all)
}

fn step(transaction: &Transaction<'_>, excess: u64, through: i64) -> rusqlite::Result<Removal> {
    let mut doomed = beyond_number(transaction, excess.min(STEP))?;
    for position in beyond_age(transaction, through)? {
        if !doomed.contains(&position) {
            doomed.push(position);
        }
    }
    remove(transaction, &doomed)?;
    Ok(Removal {
        events: doomed.len(),
        more: doomed.len() as u64 >= STEP,
    })
}

/// Removes events with everything that was found out about them.
pub(super) fn remove(transaction: &Transaction<'_>, doomed: &[i64]) -> rusqlite::Result<()> {
    for table in [
        "DELETE FROM search WHERE rowid = ?",
        "DELETE FROM attempts WHERE position = ?",
        "DELETE FROM requests WHERE position = ?",
        "DELETE FROM events WHERE position = ?",
    ] {
        let mut delete = transaction.prepare_cached(table)?;
        for position in doomed {
            delete.execute([position])?;
        }
    }
    if let (Some(oldest), Some(newest)) = (doomed.iter().min(), doomed.iter().max()) {
        burst::forget(transaction, *oldest, *newest)?;
    }
    Ok(())
}

/// Removes events on a person's request, with copies of them in other tables and Podio's data about
/// their objects. Returns how many events there were.
pub(super) fn delete(transaction: &Transaction<'_>, doomed: &[i64]) -> rusqlite::Result<u64> {
    let mut there = 0;
    for position in doomed {
        there += transaction
            .prepare_cached("SELECT count(*) FROM events WHERE position = ?")?
            .query_row([position], |row| row.get::<_, u64>(0))?;
        // What Podio returned about items is stored per item.
        transaction
            .prepare_cached(
                "DELETE FROM known_items WHERE item_id IN \
                 (SELECT object_id FROM events WHERE position = ?)",
            )?
            .execute([position])?;
        for table in ["loops", "damaged"] {
            transaction
                .prepare_cached(&format!("DELETE FROM {table} WHERE position = ?"))?
                .execute([position])?;
        }
    }
    if there > 0 {
        // Explanations are fetched again when needed; they
        // do not name the event for which they were fetched.
        transaction.execute("DELETE FROM explanations", [])?;
    }
    remove(transaction, doomed)?;
    Ok(there)
}

/// Returns the first `excess` events.
fn beyond_number(transaction: &Transaction<'_>, excess: u64) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached("SELECT position FROM events WHERE state != 0 ORDER BY position LIMIT ?")?
        .query_map([excess], |row| row.get(0))?
        .collect()
}

/// Returns the first events that came through a relay, up to `through`.
fn beyond_age(transaction: &Transaction<'_>, through: i64) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached(
            "SELECT position FROM events \
             WHERE state != 0 AND seq IS NOT NULL AND position <= ?1 ORDER BY position LIMIT ?2",
        )?
        .query_map(params![through, STEP], |row| row.get(0))?
        .collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::history::schema;

    fn remove_some(events: usize, excess: u64, is_time: impl FnMut() -> bool) -> Removal {
        let mut connection = Connection::open_in_memory().unwrap();
        for migration in schema::MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        let transaction = connection.transaction().unwrap();
        for position in 1..=events {
            transaction
                .execute(
                    "INSERT INTO events (id, received_at, method, path, body_bytes, state) \
                     VALUES (?, 0, 'POST', '/', 0, 2)",
                    [position.to_be_bytes()],
                )
                .unwrap();
        }
        steps(&transaction, excess, 0, is_time).unwrap()
    }

    #[test]
    fn one_transaction_goes_on_while_there_is_time_and_takes_a_step_where_there_is_none() {
        let step = usize::try_from(STEP).unwrap();
        for (excess, is_time, events, more) in [
            (10 * STEP + 7, true, 10 * step + 7, false),
            (10 * STEP + 7, false, step, true),
            (7, false, 7, false),
            (0, true, 0, false),
        ] {
            let removal = remove_some(20 * step, excess, || is_time);
            assert_eq!(removal, Removal { events, more }, "{excess} {is_time}");
        }
    }
}
