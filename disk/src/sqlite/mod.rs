//! Opens SQLite connections, with the same settings for relay and agent: writes are on
//! stable storage, the content of a file is not trusted, and numbered migrations bring the
//! schema up to date.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::private;
use crate::trouble::SqliteCause;

/// Maximum time to wait for another process's transaction, which is always short.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum number of prepared statements to cache per connection; more than relay or agent have.
const STATEMENTS: usize = 64;

/// Size in bytes to which the write-ahead log shrinks after a burst.
const JOURNAL_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// Maximum size in bytes of a file that is rebuilt when a release that can return space
/// first opens it. Rebuilding takes about a second for 100 MB.
const REBUILD_AT_MOST: u64 = 64 * 1024 * 1024;

/// Settings that differ between relay and agent.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Page size of a new file, in bytes. An existing file keeps its page size.
    pub page_bytes: u32,
    /// Size of a writer's page cache in KiB.
    pub cache_kib: i64,
    /// Size in bytes of the write-ahead log after which its pages are copied into the file. A
    /// page that many commits changed is copied once.
    pub checkpoint_bytes: u32,
    /// Whether the schema has triggers. If it has none, triggers in a file of foreign origin do
    /// not run.
    pub has_triggers: bool,
}

/// Reason why a schema is not that of this build.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer release wrote the file, which is unchanged.
    #[error("the file has schema {found}, and this podtap reads up to {known}")]
    Newer {
        found: usize,
        /// Newest known schema number.
        known: usize,
    },
    /// A statement failed.
    #[error("cannot bring the schema up to date")]
    Sqlite(#[source] SqliteCause),
}

/// Opens a connection that may write. The file is created if it is missing, readable by its
/// owner only. Commits are on stable storage when they return.
///
/// # Errors
/// An error of SQLite; `CannotOpen` also if the operating system does not allow to create the file.
pub fn writer(path: &Path, profile: &Profile) -> rusqlite::Result<Connection> {
    if let Some(what) = private::no_file(path) {
        return Err(cannot_open(&std::io::Error::other(what)));
    }
    private::database(path).map_err(|error| cannot_open(&error))?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, profile)?;
    // This has no effect once the file has content.
    connection.pragma_update(None, "page_size", profile.page_bytes)?;
    give_space_back(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Invariant 1: with NORMAL, a power cut could undo commits that were already answered.
    connection.pragma_update(None, "synchronous", "full")?;
    // Free pages are removed from the file in idle moments (`reclaim`). Deleted data is
    // overwritten in pages that are written anyway. ON would write every free page once more.
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.pragma_update(None, "cache_size", -profile.cache_kib)?;
    // An existing file keeps its page size.
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = profile.checkpoint_bytes / page.max(1);
    connection.pragma_update(None, "wal_autocheckpoint", pages)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT)?;
    Ok(connection)
}

/// Opens a connection that cannot write, to an existing file.
pub fn reader(path: &Path, profile: &Profile) -> rusqlite::Result<Connection> {
    if let Some(what) = private::no_file(path) {
        return Err(cannot_open(&std::io::Error::other(what)));
    }
    // Opened read-write, so that it can recover the write-ahead log of a killed process.
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

/// Closes a connection. Connections are closed one after the other: if two were closed at the
/// same time, neither would be the last, and the write-ahead log would stay with its content.
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
    // Without this setting, SQLite plans by the values bound to `LIMIT ?` and `column = ?`,
    // and so prepares such a statement again for every run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A file may be of foreign origin: its schema must not call dangerous functions, SQL must
    // not damage it, and a page that contradicts itself is refused.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    let triggers = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
    connection.set_db_config(triggers, profile.has_triggers)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Runs the migrations that the file lacks, all or none. Other processes wait meanwhile.
pub fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), MigrateError> {
    let failed = |error: rusqlite::Error| MigrateError::Sqlite(error.into());
    let known = migrations.len();
    let newer = |found| MigrateError::Newer { found, known };
    // Checked before anything is locked, because usually there is nothing to migrate.
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

/// Returns the schema number of the file, which is 0 for an empty one.
pub fn schema(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Enables a new file, or a small one of an earlier release, to return space. A large file
/// keeps its size, and its free pages count as free space.
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
        // If another process is reading, this fails and is done at a later opening.
        let _ = connection.execute_batch("PRAGMA busy_timeout = 0; VACUUM");
        connection.busy_timeout(BUSY_TIMEOUT)?;
    }
    Ok(())
}

/// Removes at most `pages` free pages from the file. Returns whether there are more.
pub fn reclaim(connection: &Connection, pages: u32) -> rusqlite::Result<bool> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode != 2 {
        return Ok(false);
    }
    let before = free_pages(connection)?;
    if before == 0 {
        return Ok(false);
    }
    // Each step of the statement removes one page.
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    drop(statement);
    let left = free_pages(connection)?;
    Ok(left > 0 && left < before)
}

/// Rewrites the file without its free pages if its content has at most `bytes`. This is faster
/// than `reclaim` for a file that consists mostly of free pages. Returns whether it was done.
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

/// Returns the number of unused bytes in the file, which are written before the file grows.
pub fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(free_pages(connection)?.saturating_mul(page))
}

/// Returns the number of used bytes in the database.
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
