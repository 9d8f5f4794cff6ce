//! What the history lets go: the oldest events beyond an age or a number, a few at a time, so that
//! an append never waits long. An event that still waits for its delivery stays (invariant 1).
//!
//! Age counts only for what came through a relay. Imported events are as old as their archive, and
//! whoever imports one wants to look at it: they go by number alone, as the oldest by arrival here.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};

use super::burst;
use crate::config::Retention;

/// Events removed in one transaction.
const STEP: u64 = 256;

/// Removes some of what `retention` wants gone; returns whether there may be more.
pub(super) fn step(
    transaction: &Transaction<'_>,
    retention: &Retention,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let events: u64 = transaction.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    let excess = events.saturating_sub(retention.max_events).min(STEP);
    let age = SignedDuration::try_from(retention.max_age).unwrap_or(SignedDuration::MAX);
    let oldest = now
        .checked_sub(age)
        .unwrap_or(Timestamp::MIN)
        .as_millisecond();
    let mut doomed = beyond_number(transaction, excess)?;
    for position in beyond_age(transaction, oldest)? {
        if !doomed.contains(&position) {
            doomed.push(position);
        }
    }
    for table in [
        "DELETE FROM search WHERE rowid = ?",
        "DELETE FROM attempts WHERE position = ?",
        "DELETE FROM requests WHERE position = ?",
        "DELETE FROM events WHERE position = ?",
    ] {
        let mut delete = transaction.prepare_cached(table)?;
        for position in &doomed {
            delete.execute([position])?;
        }
    }
    if let (Some(oldest), Some(newest)) = (doomed.iter().min(), doomed.iter().max()) {
        burst::forget(transaction, *oldest, *newest)?;
    }
    Ok(doomed.len() as u64 >= STEP)
}

/// The first events, so many of them.
fn beyond_number(transaction: &Transaction<'_>, excess: u64) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached("SELECT position FROM events WHERE state != 0 ORDER BY position LIMIT ?")?
        .query_map([excess], |row| row.get(0))?
        .collect()
}

/// The first events that a relay took, up to the first that is not older than `oldest`.
fn beyond_age(transaction: &Transaction<'_>, oldest: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = transaction.prepare_cached(
        "SELECT position, received_at < ?1 FROM events \
         WHERE state != 0 AND seq IS NOT NULL ORDER BY position LIMIT ?2",
    )?;
    let mut rows = statement.query(params![oldest, STEP])?;
    let mut doomed = Vec::new();
    while let Some(row) = rows.next()?
        && row.get(1)?
    {
        doomed.push(row.get(0)?);
    }
    Ok(doomed)
}
