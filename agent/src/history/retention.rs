//! What the history lets go: the oldest events beyond an age or a number, a few at a time, so that
//! an append never waits long. An event that still waits for its delivery stays (invariant 1).
//!
//! Age counts only for what came through a relay. Imported events are as old as their archive, and
//! whoever imports one wants to look at it: they go by number alone, as the oldest by arrival here.

use rusqlite::{Transaction, params};

use super::burst;

/// Events removed in one transaction.
const STEP: u64 = 256;

/// What a step removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removal {
    pub(super) events: usize,
    /// Whether there may be more.
    pub(super) more: bool,
}

/// How many events there are beyond `max_events`. Looks at all of them: once for many steps.
pub(super) fn excess(transaction: &Transaction<'_>, max_events: u64) -> rusqlite::Result<u64> {
    let events: u64 = transaction.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    Ok(events.saturating_sub(max_events))
}

/// Removes some of the first `excess` events, and of what is not after `through`.
pub(super) fn step(
    transaction: &Transaction<'_>,
    excess: u64,
    through: i64,
) -> rusqlite::Result<Removal> {
    let mut doomed = beyond_number(transaction, excess.min(STEP))?;
    for position in beyond_age(transaction, through)? {
        if !doomed.contains(&position) {
            doomed.push(position);
        }
    }
    remove(transaction, &doomed)?;
    // What is on record of damaged events goes as they would have gone.
    transaction
        .prepare_cached("DELETE FROM damaged WHERE position < (SELECT min(position) FROM events)")?
        .execute([])?;
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

/// Removes events because a person wants them gone, with what was kept of them elsewhere and what
/// Podio told of their objects; how many there were.
pub(super) fn delete(transaction: &Transaction<'_>, doomed: &[i64]) -> rusqlite::Result<u64> {
    let mut there = 0;
    for position in doomed {
        there += transaction
            .prepare_cached("SELECT count(*) FROM events WHERE position = ?")?
            .query_row([position], |row| row.get::<_, u64>(0))?;
        // What items were like is on record by item.
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
        // Made again when somebody asks; which event each belongs to is not on record.
        transaction.execute("DELETE FROM explanations", [])?;
    }
    remove(transaction, doomed)?;
    Ok(there)
}

/// The first events, so many of them.
fn beyond_number(transaction: &Transaction<'_>, excess: u64) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached("SELECT position FROM events WHERE state != 0 ORDER BY position LIMIT ?")?
        .query_map([excess], |row| row.get(0))?
        .collect()
}

/// The first events that a relay took, none after `through`.
fn beyond_age(transaction: &Transaction<'_>, through: i64) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached(
            "SELECT position FROM events \
             WHERE state != 0 AND seq IS NOT NULL AND position <= ?1 ORDER BY position LIMIT ?2",
        )?
        .query_map(params![through, STEP], |row| row.get(0))?
        .collect()
}
