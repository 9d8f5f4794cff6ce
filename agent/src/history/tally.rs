//! What the history holds, counted.

use rusqlite::Connection;

use super::position::Position;

/// What the history holds, kept up to date by its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The newest event's place.
    pub newest: Position,
    /// Events not yet offered to the local service.
    pub pending: u64,
}

/// Counts what the history holds.
pub(super) fn tally(connection: &Connection) -> rusqlite::Result<Tally> {
    let pending = "SELECT count(*) FROM events WHERE state = 0";
    Ok(Tally {
        newest: newest(connection)?,
        pending: connection.query_row(pending, [], |found| found.get(0))?,
    })
}

/// The newest event's place; 0 in an empty history.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Position> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM events")?
        .query_row([], |found| found.get(0).map(Position))
}

/// Changes whenever another connection has written, and never by writes of this one.
pub(super) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |found| found.get(0))
}
