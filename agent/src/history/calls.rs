//! Reads what shows how Podio's own calls would have ended: first attempts, outages and
//! verifications. From these, the agent computes how close a hook is to being disabled.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;

/// Maximum number of waiting events that are read: far more than disable a hook.
const MAX_WAITING: usize = 10_000;

/// The first attempt of an event that came through a relay. Replays are not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceCall {
    pub(crate) hook_id: u64,
    /// Time at which Podio sent the event.
    pub(crate) received_at: Timestamp,
    /// Time at which the local service was called.
    pub(crate) started_at: Timestamp,
    pub(crate) duration: Duration,
    /// The status; `None` if there was no answer.
    pub(crate) status: Option<u16>,
}

/// A position among the attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct AttemptCursor(i64);

impl AttemptCursor {
    /// Returns the position after the attempt in this row.
    pub(super) const fn at(rowid: i64) -> Self {
        Self(rowid)
    }

    /// Returns the row of the attempt before this position.
    pub(super) const fn rowid(self) -> i64 {
        self.0
    }
}

impl WatchReader {
    /// Returns the periods since `since` in which the
    /// local service was unreachable, as start and end.
    pub(crate) async fn outages(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, Timestamp)>, HistoryError> {
        let sql = "SELECT since, until FROM outages WHERE until >= ? ORDER BY since";
        let since = since.as_millisecond();
        self.read(move |connection| {
            row::rows(connection, sql, [since], |row| {
                Ok((row::timestamp(row, "since")?, end(row.get("until")?)))
            })
        })
        .await
    }

    /// Returns the hooks that were validated since `since`, each with its last validation.
    pub(crate) async fn verified_hooks(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(u64, Timestamp)>, HistoryError> {
        let sql = "SELECT hook_id, max(received_at) AS last FROM events \
             WHERE event_type = 'hook.verify' AND verification > 0 AND hook_id IS NOT NULL \
             AND received_at >= ? GROUP BY hook_id";
        let since = since.as_millisecond();
        self.read(move |connection| {
            row::rows(connection, sql, [since], |row| {
                Ok((
                    row::id_from_sql(row.get("hook_id")?),
                    row::timestamp(row, "last")?,
                ))
            })
        })
        .await
    }

    /// Returns the hook and time of each event since `since`
    /// that waits for its first attempt, oldest first.
    pub(crate) async fn waiting(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(u64, Timestamp)>, HistoryError> {
        let sql = "SELECT hook_id, received_at FROM events \
             WHERE state = 0 AND seq IS NOT NULL AND hook_id IS NOT NULL AND attempts = replays \
             AND received_at >= ? ORDER BY position LIMIT ?";
        let since = since.as_millisecond();
        self.read(move |connection| {
            row::rows(connection, sql, params![since, MAX_WAITING], |row| {
                Ok((
                    row::id_from_sql(row.get("hook_id")?),
                    row::timestamp(row, "received_at")?,
                ))
            })
        })
        .await
    }

    /// Returns the position at which the attempts since `since` begin.
    pub(crate) async fn attempts_since(
        &self,
        since: Timestamp,
    ) -> Result<AttemptCursor, HistoryError> {
        self.read(move |connection| attempts_since(connection, since))
            .await
    }

    /// Returns at most `limit` calls after `cursor`, and the position at which to continue.
    pub(crate) async fn calls(
        &self,
        cursor: AttemptCursor,
        limit: usize,
    ) -> Result<(Vec<ServiceCall>, AttemptCursor), HistoryError> {
        self.read(move |connection| calls(connection, cursor, limit))
            .await
    }
}

/// Returns when an outage ended. An outage that has not ended is
/// stored with the largest time, which [`Timestamp::from_millisecond`]
/// does not accept because its last millisecond is incomplete.
fn end(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// Finds the first attempt since `since` by binary search. Attempts are stored in the order in
/// which they end, so their times grow with their row numbers, apart from a minute or so. Attempts
/// of imported events have times of their own and are skipped.
fn attempts_since(connection: &Connection, since: Timestamp) -> rusqlite::Result<AttemptCursor> {
    let mut started_at = connection.prepare(
        "SELECT a.started_at FROM attempts AS a CROSS JOIN events AS e USING (position) \
         WHERE a.rowid >= ? AND e.seq IS NOT NULL ORDER BY a.rowid LIMIT 1",
    )?;
    let (mut low, mut high) = (0, newest_attempt(connection)? + 1);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        let found: Option<i64> = started_at
            .query_row([middle], |row| row.get(0))
            .optional()?;
        if found.is_some_and(|at| at < since.as_millisecond()) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(AttemptCursor(low))
}

pub(super) fn newest_attempt(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(rowid), 0) FROM attempts";
    connection.query_row(sql, [], |row| row.get(0))
}

fn calls(
    connection: &Connection,
    AttemptCursor(after): AttemptCursor,
    limit: usize,
) -> rusqlite::Result<(Vec<ServiceCall>, AttemptCursor)> {
    let sql = "SELECT e.hook_id, e.received_at, a.started_at, a.duration_us, a.status, a.rowid AS place \
         FROM attempts AS a JOIN events AS e USING (position) \
         WHERE a.rowid > ?1 AND a.rowid <= ?2 AND NOT a.replay AND e.hook_id IS NOT NULL \
         AND e.seq IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM attempts AS b WHERE b.position = a.position \
                         AND b.number < a.number AND NOT b.replay) \
         ORDER BY a.rowid LIMIT ?3";
    let newest = newest_attempt(connection)?;
    let found = row::rows(connection, sql, params![after, newest, limit], |found| {
        let call = ServiceCall {
            hook_id: row::id_from_sql(found.get("hook_id")?),
            received_at: row::timestamp(found, "received_at")?,
            started_at: row::timestamp(found, "started_at")?,
            duration: row::micros(found.get("duration_us")?),
            status: found.get("status")?,
        };
        Ok((call, found.get("place")?))
    })?;
    let last = match found.last() {
        Some((_, last)) if found.len() == limit => *last,
        _ => newest,
    };
    let calls = found.into_iter().map(|(call, _)| call).collect();
    Ok((calls, AttemptCursor(last)))
}
