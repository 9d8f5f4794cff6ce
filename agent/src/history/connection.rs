//! Connections to the history's file: how each is set up, and the functions that SQL may call.

use std::path::Path;
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use super::error::HistoryError;
use super::filter::Pattern;
use super::schema;

/// How long a connection waits for another process's transaction, which is always a short one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Write-ahead log pages after which SQLite copies them into the file: 16 MiB, so that a burst
/// pays for the copying (and its fsync) a few times and not with every commit.
const CHECKPOINT_PAGES: i64 = 4096;

/// Bytes to which the write-ahead log shrinks after a burst.
const JOURNAL_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// A connection that may write; makes the folder and the file, and brings it to this format.
pub(super) fn read_write(path: &Path) -> Result<Connection, HistoryError> {
    let failed = HistoryError::open(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(HistoryError::prepare(path))?;
    }
    let mut connection = Connection::open(path).map_err(&failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(&failed)?;
    schema::check(path, schema::format(&connection).map_err(&failed)?)?;
    connection
        .pragma_update(None, "journal_mode", "wal")
        .map_err(&failed)?;
    // Invariant 1: with NORMAL, a power cut takes back commits that were already acknowledged.
    connection
        .pragma_update(None, "synchronous", "full")
        .map_err(&failed)?;
    connection
        .pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
        .map_err(&failed)?;
    connection
        .pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT)
        .map_err(&failed)?;
    schema::migrate(path, &mut connection)?;
    Ok(connection)
}

/// A connection that reads a file that is there; one of an older format is migrated first.
pub(super) fn read_only(path: &Path) -> Result<Connection, HistoryError> {
    let failed = HistoryError::open(path);
    if !path.exists() {
        return Err(HistoryError::Missing {
            path: path.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(&failed)?;
        Ok(connection)
    };
    let mut connection = open()?;
    let found = schema::format(&connection).map_err(&failed)?;
    schema::check(path, found)?;
    if found < schema::KNOWN {
        drop(read_write(path)?);
        connection = open()?;
    }
    add_functions(&connection).map_err(&failed)?;
    Ok(connection)
}

/// `has_param(body, name, pattern)`: whether a form body holds the pair.
/// `id_ends(id, suffix)`: whether an event id ends so.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("has_param", 3, flags, |context| {
        let body = context.get_raw(0).as_blob().unwrap_or_default();
        let name = context.get_raw(1).as_str()?;
        let pattern = Pattern::new(context.get_raw(2).as_str()?);
        Ok(podtap_podio::params(body).any(|(key, value)| key == name && pattern.matches(&value)))
    })?;
    connection.create_scalar_function("id_ends", 2, flags, |context| {
        let id: [u8; 16] = context.get(0)?;
        let id = podtap_wire::EventId::from_bytes(id).to_string();
        Ok(id.ends_with(context.get_raw(1).as_str()?))
    })
}
