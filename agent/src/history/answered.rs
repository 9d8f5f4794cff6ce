//! Records which targets of an event have answered it. An
//! event with several targets waits until each has answered.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::position::Position;

/// SQL condition for an attempt after which its target need not get the event again.
const ENDED: &str = "replay = 0 AND imported = 0 AND again = 0 AND target IS NOT NULL";

/// Returns the targets that have answered this event.
pub(super) fn targets(
    connection: &Connection,
    position: Position,
) -> rusqlite::Result<Vec<String>> {
    let sql = format!("SELECT DISTINCT target FROM attempts WHERE position = ? AND {ENDED}");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map([position.0], |row| row.get("target"))?;
    found.collect()
}

/// Returns whether all these targets have answered the event.
pub(super) fn by_all(
    transaction: &Transaction<'_>,
    position: Position,
    these: &[Arc<str>],
) -> rusqlite::Result<bool> {
    if these.is_empty() {
        return Ok(true);
    }
    let answered = targets(transaction, position)?;
    let has_answered = |target: &Arc<str>| answered.iter().any(|answered| **answered == **target);
    Ok(these.iter().all(has_answered))
}

/// Records that the target is to get another attempt after this one.
pub(super) fn mark_again(
    transaction: &Transaction<'_>,
    position: Position,
    number: u32,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE attempts SET again = 1 WHERE position = ? AND number = ?")?
        .execute(params![position.0, number])
        .map(drop)
}

/// Shows in lists the worst of the last outcomes of all targets, so that
/// a target that answered later does not hide the failure of another.
/// Replays do not count here: they set what is shown themselves.
pub(super) fn show_worst(
    transaction: &Transaction<'_>,
    position: Position,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE events SET (last_status, last_error, last_duration_us) = \
             (SELECT a.status, a.error, a.duration_us FROM attempts AS a \
             WHERE a.position = ?1 AND a.replay = 0 AND a.number IN \
             (SELECT max(number) FROM attempts WHERE position = ?1 AND replay = 0 GROUP BY target) \
             ORDER BY a.error IS NOT NULL DESC, a.status DESC, a.number DESC LIMIT 1) \
             WHERE position = ?1 AND last_replay = 0",
        )?
        .execute([position.0])
        .map(drop)
}
