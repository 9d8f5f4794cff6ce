//! Reads what a tunnel received lately and how it was delivered, for
//! figures over the last hours. Events without a `seq` were imported or
//! triggered, and replays are requested by a person: none of them counts.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::calls::{AttemptCursor, newest_attempt};
use super::error::HistoryError;
use super::position::Position;
use super::row;
use super::watch::WatchReader;

/// Maximum number of characters of an event type that are read: Podio's longest has 14; other
/// senders may send any length.
const MAX_TYPE: usize = 64;

/// A hook and an event type that it sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HookSender {
    pub(crate) hook_id: Option<u64>,
    pub(crate) event_type: Option<Box<str>>,
}

/// An event that came through a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecentEvent {
    pub(crate) sender: HookSender,
    pub(crate) received_at: Timestamp,
}

/// An attempt to deliver such an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecentDelivery {
    pub(crate) sender: HookSender,
    pub(crate) started_at: Timestamp,
    pub(crate) duration: Duration,
    /// The status; `None` if there was no answer.
    pub(crate) status: Option<u16>,
    /// Whether it is the event's first attempt: Podio itself would have called once.
    pub(crate) is_first: bool,
}

/// The positions at which to continue reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecentCursor {
    pub(crate) events: Position,
    pub(crate) attempts: AttemptCursor,
}

impl WatchReader {
    /// Returns the position at which the newest `most` events and attempts begin.
    pub(crate) async fn recent(&self, most: usize) -> Result<RecentCursor, HistoryError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let newest = "SELECT coalesce(max(position), 0) FROM events";
            let events: i64 = connection.query_row(newest, [], |found| found.get(0))?;
            let attempts = newest_attempt(connection)?;
            Ok(RecentCursor {
                events: Position(events.saturating_sub(most).max(0)),
                attempts: AttemptCursor::at(attempts.saturating_sub(most).max(0)),
            })
        })
        .await
    }

    /// Returns the hook and time of the newest event that came through a relay.
    pub(crate) async fn newest_relayed(
        &self,
    ) -> Result<Option<(Option<u64>, Timestamp)>, HistoryError> {
        // Other events are few, so that the search ends soon.
        let sql = "SELECT hook_id, received_at FROM events WHERE seq IS NOT NULL \
             ORDER BY position DESC LIMIT 1";
        self.read(move |connection| {
            let found = row::rows(connection, sql, [], |found| {
                Ok((
                    row::id(found, "hook_id")?,
                    row::timestamp(found, "received_at")?,
                ))
            })?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// Returns the next events after `position`, oldest first,
    /// from at most `limit` rows, and where to continue.
    pub(crate) async fn recent_events(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<(Vec<RecentEvent>, Position), HistoryError> {
        self.read(move |connection| recent_events(connection, position, limit))
            .await
    }

    /// Returns at most `limit` deliveries after `cursor`, oldest first, and where to continue.
    pub(crate) async fn recent_deliveries(
        &self,
        cursor: AttemptCursor,
        limit: usize,
    ) -> Result<(Vec<RecentDelivery>, AttemptCursor), HistoryError> {
        self.read(move |connection| recent_deliveries(connection, cursor, limit))
            .await
    }
}

fn recent_events(
    connection: &Connection,
    Position(after): Position,
    limit: usize,
) -> rusqlite::Result<(Vec<RecentEvent>, Position)> {
    let sql = "SELECT position, hook_id, substr(event_type, 1, ?3) AS event_type, received_at, \
         seq IS NOT NULL AS relayed \
         FROM events WHERE position > ?1 ORDER BY position LIMIT ?2";
    let mut last = after;
    let found = row::rows(connection, sql, params![after, limit, MAX_TYPE], |found| {
        last = found.get("position")?;
        let event = RecentEvent {
            sender: sender(found)?,
            received_at: row::timestamp(found, "received_at")?,
        };
        Ok((event, found.get::<_, bool>("relayed")?))
    })?;
    let relayed = found.into_iter().filter(|(_, relayed)| *relayed);
    Ok((relayed.map(|(event, _)| event).collect(), Position(last)))
}

fn recent_deliveries(
    connection: &Connection,
    after: AttemptCursor,
    limit: usize,
) -> rusqlite::Result<(Vec<RecentDelivery>, AttemptCursor)> {
    let sql = "SELECT a.rowid AS number, e.hook_id, substr(e.event_type, 1, ?4) AS event_type, \
         a.started_at, a.duration_us, a.status, \
         NOT EXISTS (SELECT 1 FROM attempts AS b WHERE b.position = a.position \
                     AND b.number < a.number AND NOT b.replay) AS is_first \
         FROM attempts AS a JOIN events AS e USING (position) \
         WHERE a.rowid > ?1 AND a.rowid <= ?2 AND NOT a.replay AND NOT a.imported \
         AND e.seq IS NOT NULL ORDER BY a.rowid LIMIT ?3";
    let newest = newest_attempt(connection)?;
    let (mut last, mut read) = (newest, 0);
    let range = params![after.rowid(), newest, limit, MAX_TYPE];
    let found = row::rows(connection, sql, range, |found| {
        (last, read) = (found.get("number")?, read + 1);
        Ok(RecentDelivery {
            sender: sender(found)?,
            started_at: row::timestamp(found, "started_at")?,
            duration: row::micros(found.get("duration_us")?),
            status: found.get("status")?,
            is_first: found.get("is_first")?,
        })
    })?;
    let through = if read == limit { last } else { newest };
    Ok((found, AttemptCursor::at(through)))
}

fn sender(found: &rusqlite::Row<'_>) -> rusqlite::Result<HookSender> {
    Ok(HookSender {
        hook_id: row::id(found, "hook_id")?,
        event_type: found
            .get::<_, Option<String>>("event_type")?
            .map(Into::into),
    })
}
