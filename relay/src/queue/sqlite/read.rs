//! Reading the queue: statements and rows, run on the reader threads.

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use podtap_wire::{EventFrame, EventId, HeaderList, Seq, WebhookRequest};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::queue::{Gap, QueueError, ReadLimit, Totals, TunnelId};

/// What a read found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) events: Vec<EventFrame>,
    /// Events that cannot be understood, and why.
    pub(super) unreadable: Vec<(Seq, String)>,
}

/// The oldest events after `after`, as many as the limit lets through, one at least. Each is
/// decoded by itself: one that is damaged keeps no other back.
pub(super) fn events(
    connection: &Connection,
    tunnel: TunnelId,
    after: Seq,
    at_most: ReadLimit,
) -> rusqlite::Result<Found> {
    {
        let mut statement = connection.prepare_cached(
            "SELECT seq, id, received_at, peer, method, path, headers, body FROM events
             WHERE tunnel = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?;
        let mut rows = statement.query((tunnel.0, after.0, at_most.events))?;
        let mut found = Found::default();
        let mut bytes = 0;
        while bytes < at_most.bytes
            && let Some(row) = rows.next()?
        {
            match event(row) {
                Ok(event) => {
                    bytes += event.request.footprint();
                    found.events.push(event);
                }
                Err(error) if podtap_disk::is_unreadable_row(&error) => {
                    let reason = podtap_disk::words(&error);
                    found.unreadable.push((Seq(row.get(0)?), reason));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// What was removed unread, oldest first.
pub(super) fn gaps(connection: &Connection, tunnel: TunnelId) -> Result<Vec<Gap>, QueueError> {
    let read = || -> rusqlite::Result<Vec<Gap>> {
        connection
            .prepare_cached(
                "SELECT from_seq, to_seq, reason FROM gaps WHERE tunnel = ?1 ORDER BY from_seq",
            )?
            .query_map([tunnel.0], |row| {
                Ok(Gap {
                    from: Seq(row.get(0)?),
                    to: Seq(row.get(1)?),
                    reason: row.get(2)?,
                })
            })?
            .collect()
    };
    read().map_err(|error| failed("read gaps", &error))
}

/// What waits in all queues.
pub(super) fn totals(connection: &Connection) -> Result<Totals, QueueError> {
    connection
        .query_row(
            "SELECT coalesce(sum(last_seq - removed_seq), 0),
                    coalesce(sum(last_bytes - removed_bytes), 0) FROM queues",
            [],
            |row| {
                Ok(Totals {
                    events: row.get(0)?,
                    bytes: row.get(1)?,
                })
            },
        )
        .map_err(|error| failed("count what waits", &error))
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventFrame> {
    let unreadable = |column, kind, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, kind, error)
    };
    let received_at = Timestamp::from_millisecond(row.get(2)?)
        .map_err(|error| unreadable(2, Type::Integer, error.into()))?;
    let peer: Option<IpAddr> = match row.get_ref(3)?.as_str_or_null()? {
        Some(text) => Some(
            text.parse()
                .map_err(|error| unreadable(3, Type::Text, Box::new(error)))?,
        ),
        None => None,
    };
    let headers: HeaderList = serde_json::from_str(row.get_ref(6)?.as_str()?)
        .map_err(|error| unreadable(6, Type::Text, error.into()))?;
    Ok(EventFrame {
        seq: Seq(row.get(0)?),
        id: EventId::from_bytes(row.get(1)?),
        request: WebhookRequest {
            received_at,
            method: row.get(4)?,
            path: row.get(5)?,
            headers,
            peer,
            body: Bytes::copy_from_slice(row.get_ref(7)?.as_blob()?),
        },
    })
}

pub(super) fn failed(attempt: &str, error: &rusqlite::Error) -> QueueError {
    tracing::error!(
        error = podtap_disk::words(error),
        "the queue cannot {attempt}"
    );
    QueueError::Unavailable
}
