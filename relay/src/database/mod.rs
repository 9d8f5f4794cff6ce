//! The one SQLite file of a relay: opening, migrating and locking it.
//!
//! The queue and the tunnel store read and write through connections made here; the token
//! commands of the command line open the same file from another process (WAL).

mod lock;
mod rebuild;
mod schema;
mod worker;

use std::path::{Path, PathBuf};

use podtap_disk::sqlite::{self, MigrateError, Profile};
use podtap_disk::{Cause, Trouble};
use rusqlite::Connection;

pub(crate) use lock::Lock;
pub(crate) use worker::Worker;

const FILE_NAME: &str = "relay.db";

/// The file that reserves room on the disk.
pub(crate) const RESERVE: &str = "relay.reserve";

/// How this database is opened.
const PROFILE: Profile = Profile {
    cache_kib: 16_000,
    checkpoint_pages: 1000,
    has_triggers: true,
};

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
        source: Cause,
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
        found: usize,
        /// The newest schema of this build.
        known: usize,
    },
    /// There is no room on the disk.
    #[error(
        "the disk of {} is full; make room there or choose another folder with --data-dir",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: Cause,
    },
    /// A statement failed.
    #[error("cannot {attempt} in {}", path.display())]
    Sqlite {
        /// What was being done.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: Cause,
    },
}

/// The place of the database, its schema known to be this build's.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    path: PathBuf,
}

impl Database {
    /// Whether the folder holds a relay's database.
    pub(crate) fn is_at(data_dir: &Path) -> bool {
        data_dir.join(FILE_NAME).exists()
    }

    /// Makes the folder and the file where missing and brings the schema up to date.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, Error> {
        podtap_disk::private::folder(data_dir).map_err(|source| Error::DataDir {
            path: data_dir.to_owned(),
            source,
        })?;
        let database = Self {
            path: data_dir.join(FILE_NAME),
        };
        let opened = || database.prepare();
        // On a full disk the reserve makes the room that opening needs; what is acknowledged then
        // makes more.
        opened().or_else(|error| match error {
            Error::Full { .. } if std::fs::remove_file(data_dir.join(RESERVE)).is_ok() => opened(),
            error => Err(error),
        })?;
        Ok(database)
    }

    /// Opens the file for writing once and brings its schema up to date.
    fn prepare(&self) -> Result<(), Error> {
        let mut connection = self.writer()?;
        // SQLite opens a file that it may not write all the same, and begins to read it.
        let is_readonly = connection.is_readonly(c"main");
        if is_readonly.map_err(self.failed("open the database"))? {
            return Err(Error::DataDir {
                source: std::io::ErrorKind::PermissionDenied.into(),
                path: self.folder().to_owned(),
            });
        }
        self.migrate(&mut connection)
    }

    /// A connection that may write; its commits are on stable storage when they return.
    pub(crate) fn writer(&self) -> Result<Connection, Error> {
        sqlite::writer(&self.path, &PROFILE).map_err(self.failed("open the database"))
    }

    /// A connection that cannot write.
    pub(crate) fn reader(&self) -> Result<Connection, Error> {
        sqlite::reader(&self.path, &PROFILE).map_err(self.failed("open the database"))
    }

    /// Turns what SQLite said into an error that names this file.
    pub(crate) fn failed(&self, attempt: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        let path = self.path.clone();
        move |source| Error::of(attempt, path, source.into())
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn migrate(&self, connection: &mut Connection) -> Result<(), Error> {
        let path = self.path.clone();
        sqlite::migrate(connection, schema::MIGRATIONS).map_err(|error| match error {
            MigrateError::Newer { found, known } => Error::Newer { path, found, known },
            MigrateError::Sqlite(cause) => Error::of("bring the schema up to date", path, cause),
        })
    }
}

impl Error {
    fn of(attempt: &'static str, path: PathBuf, source: Cause) -> Self {
        let folder = path.parent().unwrap_or(&path);
        match source.trouble() {
            Trouble::Io | Trouble::Missing if podtap_disk::space::is_full(folder) => {
                Self::Full { path, source }
            }
            Trouble::Damaged => Self::Malformed { path, source },
            Trouble::Full => Self::Full { path, source },
            Trouble::Missing | Trouble::Forbidden => Self::DataDir {
                source: std::io::Error::other(source),
                path: path.parent().unwrap_or(&path).to_owned(),
            },
            Trouble::Locked | Trouble::Io | Trouble::Other => Self::Sqlite {
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
