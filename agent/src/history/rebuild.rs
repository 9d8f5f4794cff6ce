//! Rebuilds a damaged history. It keeps what is readable and records the rest in the table
//! `damaged`, so that every loss is visible.

use std::path::{Path, PathBuf};

use podtap_disk::salvage::{self, RebuildError};
use rusqlite::{Connection, Transaction, params};

use super::connection::PROFILE;
use super::{HistoryError, schema};

/// Maximum number of events whose ids are read from the damaged file's index.
const MAX_LOST: usize = 100_000;

/// Rebuilds a history that cannot be opened because it is damaged; returns any other error.
pub(crate) fn if_damaged(path: &Path, error: HistoryError) -> Result<(), HistoryError> {
    if error.is_damage() {
        rebuild_or_say(path, &[error.to_string()])
    } else {
        Err(error)
    }
}

pub(super) fn rebuild_or_say(path: &Path, findings: &[String]) -> Result<(), HistoryError> {
    rebuild(path, findings)
        .map(drop)
        .map_err(|error| HistoryError::prepare(path)(std::io::Error::other(error)))
}

/// Rebuilds the history at `path`, to which this process has no writing connection. Returns the new
/// path of the damaged file.
pub(super) fn rebuild(path: &Path, findings: &[String]) -> Result<PathBuf, RebuildError> {
    let first = findings.first().map_or("", String::as_str);
    tracing::error!(
        finding = first,
        "the history is damaged; podtap keeps what can be read"
    );
    let lost = events_by_index(path);
    let rebuilt = salvage::rebuild(path, &PROFILE, schema::MIGRATIONS, |transaction| {
        put_on_record(transaction, &lost)
    })?;
    tracing::error!(
        rows = rebuilt.rows,
        damaged = %rebuilt.kept.display(),
        "the history was rebuilt; the damaged file is kept"
    );
    Ok(rebuilt.kept)
}

/// Reads ids and positions of all events from the index, which is stored apart from the rows.
fn events_by_index(path: &Path) -> Vec<(i64, [u8; 16])> {
    let read = || -> rusqlite::Result<Vec<_>> {
        let connection = Connection::open(path)?;
        let sql = "SELECT position, id FROM events INDEXED BY sqlite_autoindex_events_1 \
                   ORDER BY id DESC LIMIT ?";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([MAX_LOST])?;
        let mut found = Vec::new();
        while let Ok(Some(row)) = rows.next() {
            if let (Ok(position), Ok(id)) = (row.get("position"), row.get("id")) {
                found.push((position, id));
            }
        }
        Ok(found)
    };
    read().unwrap_or_default()
}

/// Records in `damaged` the events without a body, the bodies without an event, and the events that
/// only the index of the damaged file contains.
fn put_on_record(
    transaction: &Transaction<'_>,
    by_index: &[(i64, [u8; 16])],
) -> rusqlite::Result<()> {
    let now = jiff::Timestamp::now().as_millisecond();
    transaction.execute(
        "INSERT INTO damaged (position, found_at, reason, id, seq, received_at, method, path) \
         SELECT position, ?, 'its body and headers are lost', id, seq, received_at, method, path \
         FROM events WHERE position NOT IN (SELECT position FROM requests)",
        [now],
    )?;
    transaction.execute(
        "INSERT INTO damaged (position, found_at, reason, headers, body) \
         SELECT position, ?, 'only its body and headers are left', headers, body \
         FROM requests WHERE position NOT IN (SELECT position FROM events)",
        [now],
    )?;
    for table in ["events", "requests", "attempts"] {
        let other = if table == "events" {
            "requests"
        } else {
            "events"
        };
        transaction.execute(
            &format!("DELETE FROM {table} WHERE position NOT IN (SELECT position FROM {other})"),
            [],
        )?;
    }
    let mut add = transaction.prepare(
        "INSERT INTO damaged (position, found_at, reason, id) SELECT ?1, ?2, 'all of it is lost', ?3 \
         WHERE ?1 NOT IN (SELECT position FROM events) AND ?3 NOT IN (SELECT id FROM events) \
         AND ?1 NOT IN (SELECT position FROM damaged WHERE position IS NOT NULL)",
    )?;
    for (position, id) in by_index {
        add.execute(params![position, now, id])?;
    }
    transaction.execute_batch("UPDATE search_progress SET indexed_through = 0")
}

/// Moves an event that cannot be read into the table `damaged`, for inspection.
pub(super) fn set_aside(
    transaction: &Transaction<'_>,
    position: i64,
    reason: &str,
) -> rusqlite::Result<()> {
    let now = jiff::Timestamp::now().as_millisecond();
    transaction.execute(
        "INSERT INTO damaged (position, found_at, reason, id, seq, received_at, method, path, headers, body) \
         SELECT e.position, ?2, ?3, e.id, e.seq, e.received_at, e.method, e.path, r.headers, r.body \
         FROM events AS e LEFT JOIN requests AS r USING (position) WHERE e.position = ?1",
        params![position, now, reason],
    )?;
    super::retention::remove(transaction, &[position])
}
