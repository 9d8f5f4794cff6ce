//! The one SQLite file of a relay: opening, migrating and locking it.
//!
//! The queue and the tunnel store read and write through connections made here; the token
//! commands of the command line open the same file from another process (WAL).

mod lock;
mod schema;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub(crate) use lock::Lock;
pub(crate) use worker::Worker;

const FILE_NAME: &str = "relay.db";

/// How long one connection waits for another's transaction. Transactions take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection; more than the relay has.
const STATEMENTS: usize = 64;

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be made, read or written.
    #[error(
        "cannot use the data folder {}; check that this user may write there or choose another with --data-dir",
        path.display()
    )]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another relay has the folder.
    #[error(
        "another relay is running with the data folder {}; stop it or choose another with --data-dir",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The file is damaged or something else altogether.
    #[error(
        "{} is not a readable relay database; restore it from a backup or move it away to begin anew",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file belongs to a newer release.
    #[error(
        "{} was written by a newer podtap (schema {found}, this one knows up to {known}); upgrade podtap",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema of this build.
        known: u32,
    },
    /// A statement failed.
    #[error("cannot {attempt} in {}", path.display())]
    Sqlite {
        /// What was being done.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// The place of the database, its schema known to be this build's.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    path: PathBuf,
}

impl Database {
    /// Makes the folder and the file where missing and brings the schema up to date.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(data_dir).map_err(|source| Error::DataDir {
            path: data_dir.to_owned(),
            source,
        })?;
        let database = Self {
            path: data_dir.join(FILE_NAME),
        };
        schema::migrate(&mut database.writer()?, &database.path)?;
        Ok(database)
    }

    /// A connection that may write; its commits are on stable storage when they return.
    pub(crate) fn writer(&self) -> Result<Connection, Error> {
        self.connect(
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            // Invariant 1: with NORMAL a power cut takes commits that were already answered.
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
             PRAGMA journal_size_limit = 67108864;",
        )
    }

    /// A connection that cannot write.
    pub(crate) fn reader(&self) -> Result<Connection, Error> {
        self.connect(
            OpenFlags::SQLITE_OPEN_READ_WRITE,
            "PRAGMA query_only = ON; PRAGMA cache_size = -4000;",
        )
    }

    /// Turns what SQLite said into an error that names this file.
    pub(crate) fn failed(&self, attempt: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        let path = self.path.clone();
        move |source| Error::of(attempt, path, source)
    }

    /// The folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn connect(&self, flags: OpenFlags, pragmas: &str) -> Result<Connection, Error> {
        let open = || {
            let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.execute_batch(pragmas)?;
            Ok(connection)
        };
        open().map_err(self.failed("open the database"))
    }
}

impl Error {
    fn of(attempt: &'static str, path: PathBuf, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Malformed { path, source }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::DataDir {
                    source: std::io::Error::other(source),
                    path: path.parent().unwrap_or(&path).to_owned(),
                }
            }
            _ => Self::Sqlite {
                attempt,
                path,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join(FILE_NAME),
            "not SQLite at all, ".repeat(99),
        )
        .unwrap();

        let error = Database::open(folder.path()).unwrap_err();

        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(FILE_NAME), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();

        let error = Database::open(&file.join("data")).unwrap_err();

        assert!(matches!(error, Error::DataDir { .. }), "{error:?}");
        assert!(error.to_string().contains("--data-dir"), "{error}");
    }

    #[test]
    fn a_database_of_a_newer_release_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).unwrap();
        database
            .writer()
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();

        let error = Database::open(folder.path()).unwrap_err();

        assert!(matches!(error, Error::Newer { found: 99, .. }), "{error:?}");
    }
}
