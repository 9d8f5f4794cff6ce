//! Counts the events of the history.

use rusqlite::Connection;

use super::position::Position;

/// Counts of the history, kept up to date by its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The newest event's position.
    pub newest: Position,
    /// Number of events not yet offered to the local service.
    pub pending: u64,
}

/// Counts the events of the history.
pub(super) fn tally(connection: &Connection) -> rusqlite::Result<Tally> {
    let pending = "SELECT count(*) FROM events WHERE state = 0";
    Ok(Tally {
        newest: newest(connection)?,
        pending: connection.query_row(pending, [], |found| found.get(0))?,
    })
}

/// Returns the newest event's position, or 0 if the history is empty.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Position> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM events")?
        .query_row([], |found| found.get(0).map(Position))
}

/// Returns a number that changes when another connection writes, and never when this one does.
pub(super) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |found| found.get(0))
}
