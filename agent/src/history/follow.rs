//! Reads on from a position: whole events and attempts in the
//! order in which they were stored, as a follower prints them.

use podtap_wire::EventId;
use rusqlite::{Connection, params};

use super::event::{Attempt, Event};
use super::finding::LoopFinding;
use super::findings::{self, Finding, FindingPosition};
use super::position::Position;
use super::row;
use super::{History, HistoryError};

/// Bytes of bodies after which a batch ends, so that a burst of large events needs little memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// An attempt's position in the history, in the order in which attempts of all events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptPosition(i64);

/// The newest positions: reading on after them returns what happens from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryEnds {
    /// The newest event.
    pub event: Position,
    /// The attempt that ended last.
    pub attempt: AttemptPosition,
    /// The finding that became known last.
    pub finding: FindingPosition,
}

impl History {
    /// Returns the newest positions.
    pub async fn end(&self) -> Result<HistoryEnds, HistoryError> {
        self.near.read(end).await
    }

    /// Returns at most `limit` events after this one, oldest first; fewer if they are large.
    pub async fn events_after(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Event>, HistoryError> {
        self.near
            .read(move |connection| events_after(connection, after, limit))
            .await
    }

    /// Returns at most `limit` attempts after this one, oldest first.
    pub async fn attempts_after(
        &self,
        after: AttemptPosition,
        limit: usize,
    ) -> Result<Vec<(AttemptPosition, Attempt)>, HistoryError> {
        self.near
            .read(move |connection| attempts_after(connection, after, limit))
            .await
    }

    /// Returns at most `limit` findings after this one, oldest first.
    pub async fn findings_after(
        &self,
        after: FindingPosition,
        limit: usize,
    ) -> Result<Vec<(FindingPosition, Finding)>, HistoryError> {
        self.near
            .read(move |connection| findings::findings_after(connection, after, limit))
            .await
    }

    /// Returns the newest loops, newest first, at most 100.
    pub async fn loops(&self) -> Result<Vec<LoopFinding>, HistoryError> {
        self.near.read(findings::loops).await
    }
}

fn end(connection: &Connection) -> rusqlite::Result<HistoryEnds> {
    let ends = "SELECT (SELECT ifnull(max(position), 0) FROM events) AS event, \
                (SELECT ifnull(max(rowid), 0) FROM attempts) AS attempt, \
                (SELECT ifnull(max(number), 0) FROM findings) AS finding";
    connection.query_row(ends, [], |row| {
        Ok(HistoryEnds {
            event: Position(row.get("event")?),
            attempt: AttemptPosition(row.get("attempt")?),
            finding: FindingPosition(row.get("finding")?),
        })
    })
}

fn events_after(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Vec<Event>> {
    let (columns, with_hook) = (row::EVENT, row::WITH_HOOK);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {columns} FROM events AS e JOIN requests AS r USING (position) {with_hook} \
         WHERE e.position > ? ORDER BY e.position LIMIT ?"
    ))?;
    let mut rows = statement.query(params![after.0, limit])?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while bytes < BATCH_BYTES
        && let Some(row) = rows.next()?
    {
        let Some((event, _)) = row::if_readable(row::event(row))? else {
            continue;
        };
        bytes += event.request.body.len();
        events.push(event);
    }
    Ok(events)
}

fn attempts_after(
    connection: &Connection,
    after: AttemptPosition,
    limit: usize,
) -> rusqlite::Result<Vec<(AttemptPosition, Attempt)>> {
    let columns = row::ATTEMPT;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {columns}, rowid AS place, \
         (SELECT e.id FROM events AS e WHERE e.position = attempts.position) AS event \
         FROM attempts WHERE rowid > ? ORDER BY rowid LIMIT ?"
    ))?;
    row::readable(statement.query_map(params![after.0, limit], |found| {
        let event = EventId::from_bytes(found.get("event")?);
        Ok((
            AttemptPosition(found.get("place")?),
            row::attempt(event, found)?,
        ))
    })?)
}
