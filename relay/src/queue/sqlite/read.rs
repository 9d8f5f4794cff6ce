//! Reads from the queue, on the reader threads.

use std::error::Error;

use bytes::Bytes;
use jiff::Timestamp;
use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::database::ENDS;
use crate::queue::{Gap, QueueError, ReadLimit, Totals, TunnelId};

/// Selects the oldest events of a tunnel after a sequence number, for [`event`].
pub(super) const EVENTS: &str =
    "SELECT seq, id, received_at, peer, method, path, headers, body FROM events
     WHERE tunnel = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

/// Result of a read.
#[derive(Debug, Default)]
pub(super) struct ReadRows {
    pub(super) events: Vec<EventFrame>,
    /// Events that cannot be decoded, and the reason.
    pub(super) unreadable: Vec<(Seq, String)>,
}

/// Returns the oldest events after `after`, as many as the limit allows and at least one.
/// Each event is decoded separately, so that a damaged one does not affect the others.
pub(super) fn events(
    connection: &Connection,
    tunnel: TunnelId,
    after: Seq,
    at_most: ReadLimit,
) -> rusqlite::Result<ReadRows> {
    let mut statement = connection.prepare_cached(EVENTS)?;
    let mut rows = statement.query((tunnel.0, after.0, at_most.events))?;
    let mut found = ReadRows::default();
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
                found.unreadable.push((Seq(row.get("seq")?), reason));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Returns the gaps of a tunnel, oldest first.
pub(super) fn gaps(connection: &Connection, tunnel: TunnelId) -> Result<Vec<Gap>, QueueError> {
    let read = || -> rusqlite::Result<Vec<Gap>> {
        connection
            .prepare_cached(
                "SELECT from_seq, to_seq, reason FROM gaps WHERE tunnel = ?1 ORDER BY from_seq",
            )?
            .query_map([tunnel.0], |row| {
                Ok(Gap {
                    from: Seq(row.get("from_seq")?),
                    to: Seq(row.get("to_seq")?),
                    reason: row.get("reason")?,
                })
            })?
            .collect()
    };
    read().map_err(|error| to_queue_error("read gaps", &error))
}

/// Returns the content of all queues together.
pub(super) fn totals(connection: &Connection) -> Result<Totals, QueueError> {
    connection
        .query_row(
            &format!(
                "SELECT coalesce(sum(last_seq - removed_seq), 0) AS events,
                        coalesce(sum(last_bytes - removed_bytes), 0) AS bytes FROM {ENDS}"
            ),
            [],
            |row| {
                Ok(Totals {
                    events: row.get("events")?,
                    bytes: row.get("bytes")?,
                })
            },
        )
        .map_err(|error| to_queue_error("count what waits", &error))
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventFrame> {
    let peer = text(row, "peer", |peer| match peer {
        Some(peer) => peer.parse().map(Some).map_err(Into::into),
        None => Ok(None),
    })?;
    let headers = text(row, "headers", |headers| {
        serde_json::from_str(headers.unwrap_or_default()).map_err(Into::into)
    })?;
    Ok(EventFrame {
        seq: Seq(row.get("seq")?),
        id: EventId::from_bytes(row.get("id")?),
        request: WebhookRequest {
            received_at: received_at(row)?,
            method: row.get("method")?,
            path: row.get("path")?,
            headers,
            peer,
            body: Bytes::copy_from_slice(row.get_ref("body")?.as_blob()?),
        },
    })
}

fn received_at(row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    let column = row.as_ref().column_index("received_at")?;
    Timestamp::from_millisecond(row.get(column)?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, error.into())
    })
}

/// Parses a text column of a row with `parse`.
fn text<T>(
    row: &Row<'_>,
    name: &str,
    parse: impl FnOnce(Option<&str>) -> Result<T, Box<dyn Error + Send + Sync>>,
) -> rusqlite::Result<T> {
    let column = row.as_ref().column_index(name)?;
    parse(row.get_ref(column)?.as_str_or_null()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error))
}

pub(super) fn to_queue_error(attempt: &str, error: &rusqlite::Error) -> QueueError {
    tracing::error!(
        error = podtap_disk::words(error),
        "the queue cannot {attempt}"
    );
    QueueError::Unavailable
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::database::Database;

    #[test]
    fn the_read_of_a_session_stays_prepared() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).unwrap();
        let reader = database.reader().unwrap();
        for round in 1..5 {
            let room = ReadLimit {
                events: 3 * round,
                bytes: 1,
            };
            events(&reader, TunnelId(1), Seq(0), room).unwrap();
        }

        let statement = reader.prepare_cached(EVENTS).unwrap();

        assert_eq!(statement.get_status(StatementStatus::Run), 4);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
