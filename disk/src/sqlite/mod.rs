//! Connections, the same way on both sides: what is written is on stable storage, what is read is
//! not trusted, and the schema is brought up to date by numbered migrations.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::private;
use crate::trouble::SqliteCause;

/// How long a connection waits for another process's transaction, which is always a short one.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection; more than either side has.
const STATEMENTS: usize = 64;

/// Bytes to which the write-ahead log shrinks after a burst.
const JOURNAL_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// A file of up to so many bytes is rebuilt at its first opening by a release that gives space
/// back; rebuilding takes a second or so for 100 MB.
const REBUILD_AT_MOST: u64 = 64 * 1024 * 1024;

/// What differs between the two sides.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Bytes of a page of a new file; a file that is there keeps its own.
    pub page_bytes: u32,
    /// KiB of pages that a writer keeps in memory.
    pub cache_kib: i64,
    /// Bytes of the write-ahead log after which its pages are copied into the file: a page that many
    /// commits wrote is written to the file once.
    pub checkpoint_bytes: u32,
    /// Whether the schema has triggers. Where it has none, those of a file that came from
    /// elsewhere do not run.
    pub has_triggers: bool,
}

/// Why a schema is not this build's.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A later release wrote the file; it was left alone.
    #[error("the file has schema {found}, and this podtap reads up to {known}")]
    Newer {
        found: usize,
        /// The last one known.
        known: usize,
    },
    /// A statement failed.
    #[error("cannot bring the schema up to date")]
    Sqlite(#[source] SqliteCause),
}

/// A connection that may write, to a file that is made where missing, readable by its owner alone.
/// Its commits are on stable storage when they return.
///
/// # Errors
/// What SQLite says; `CannotOpen` also where the system does not let the file be made.
pub fn writer(path: &Path, profile: &Profile) -> rusqlite::Result<Connection> {
    if let Some(what) = private::no_file(path) {
        return Err(cannot_open(&std::io::Error::other(what)));
    }
    private::database(path).map_err(|error| cannot_open(&error))?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, profile)?;
    // Before anything is written to the file, or it has no effect.
    connection.pragma_update(None, "page_size", profile.page_bytes)?;
    give_space_back(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Invariant 1: with NORMAL, a power cut takes back commits that were already answered.
    connection.pragma_update(None, "synchronous", "full")?;
    // Freed pages are taken out of the file in idle moments (`reclaim`); within pages that are
    // written anyway, what was deleted is overwritten. ON would write every freed page once more.
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.pragma_update(None, "cache_size", -profile.cache_kib)?;
    // A file that is there keeps the pages that it was made with.
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = profile.checkpoint_bytes / page.max(1);
    connection.pragma_update(None, "wal_autocheckpoint", pages)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT)?;
    Ok(connection)
}

/// A connection that cannot write, to a file that is there.
pub fn reader(path: &Path, profile: &Profile) -> rusqlite::Result<Connection> {
    if let Some(what) = private::no_file(path) {
        return Err(cannot_open(&std::io::Error::other(what)));
    }
    // Read-write, so that it can recover a write-ahead log that a killed process left.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection =
        open(path, flags, profile).or_else(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly) => {
                open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, profile)
            }
            _ => Err(error),
        })?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Closes a connection, one after the other: of two that close at the same moment neither is the
/// last one, and the write-ahead log would stay, with what is in it.
pub fn close(connection: Connection) {
    static CLOSING: Mutex<()> = Mutex::new(());
    let _one = CLOSING.lock().unwrap_or_else(PoisonError::into_inner);
    drop(connection);
}

fn open(path: &Path, flags: OpenFlags, profile: &Profile) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it SQLite plans by the values bound to `LIMIT ?` and `column = ?`, and so prepares
    // such a statement again at every run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A file may come from elsewhere: nothing in its schema calls what could do harm, nothing that
    // SQL says damages it, and a page that contradicts itself is refused.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    let triggers = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
    connection.set_db_config(triggers, profile.has_triggers)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Runs the migrations that the file lacks, all or nothing; other processes wait.
pub fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), MigrateError> {
    let failed = |error: rusqlite::Error| MigrateError::Sqlite(error.into());
    let known = migrations.len();
    let newer = |found| MigrateError::Newer { found, known };
    // Looked at before anything is locked: a reader's migration mostly finds nothing to do.
    let found = schema(connection).map_err(failed)?;
    if found == known {
        return Ok(());
    } else if found > known {
        return Err(newer(found));
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let found = schema(&transaction).map_err(failed)?;
    if found > known {
        return Err(newer(found));
    }
    for migration in migrations.iter().skip(found) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The number of the file's schema: 0 of an empty one.
pub fn schema(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Lets a new file, or a small one of an earlier release, give space back. A large one keeps its
/// size, and its free pages count as room.
fn give_space_back(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode != 0 {
        return Ok(());
    }
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    let bytes = path.metadata().map_or(0, |about| about.len());
    let free = path
        .parent()
        .and_then(|folder| crate::space::free(folder).ok());
    let has_room = free.is_none_or(|free| free > 3 * bytes + REBUILD_AT_MOST);
    if bytes > 0 && bytes <= REBUILD_AT_MOST && has_room {
        // Another process that reads keeps it from happening: then at a later opening.
        let _ = connection.execute_batch("PRAGMA busy_timeout = 0; VACUUM");
        connection.busy_timeout(BUSY_TIMEOUT)?;
    }
    Ok(())
}

/// Takes at most `pages` free pages out of the file; whether there are more.
pub fn reclaim(connection: &Connection, pages: u32) -> rusqlite::Result<bool> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode != 2 {
        return Ok(false);
    }
    let before = free_pages(connection)?;
    if before == 0 {
        return Ok(false);
    }
    // Each step of the statement frees one page.
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    drop(statement);
    let left = free_pages(connection)?;
    Ok(left > 0 && left < before)
}

/// Writes the file anew without its free pages where what it holds is at most `bytes`: faster than
/// `reclaim` for a file that is nearly all free pages. Whether it did.
pub fn compact(connection: &Connection, bytes: u64) -> rusqlite::Result<bool> {
    let size: u64 = connection.query_row(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    let free = free_bytes(connection)?;
    if free == 0 || size.saturating_sub(free) > bytes {
        return Ok(false);
    }
    connection.execute_batch("VACUUM")?;
    Ok(true)
}

/// Copies the write-ahead log into the file and empties it, unless a reader is in the way.
pub fn truncate_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Bytes in the file that hold nothing and are written before the file grows.
pub fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(free_pages(connection)?.saturating_mul(page))
}

/// Bytes of the database that hold something.
pub fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    let pages = number("page_count")?.saturating_sub(free_pages(connection)?);
    Ok(pages.saturating_mul(number("page_size")?))
}

fn free_pages(connection: &Connection) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
}

fn cannot_open(error: &std::io::Error) -> rusqlite::Error {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull => rusqlite::ffi::SQLITE_FULL,
        std::io::ErrorKind::PermissionDenied => rusqlite::ffi::SQLITE_PERM,
        _ => rusqlite::ffi::SQLITE_CANTOPEN,
    };
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(error.to_string()))
}

#[cfg(test)]
mod tests;
