//! Opens, migrates and connects to the database file.

use std::path::{Path, PathBuf};

use podtap_disk::sqlite::{self, MigrateError, Profile};
use rusqlite::Connection;

use super::error::DatabaseError;
use super::schema;

const FILE_NAME: &str = "relay.db";

/// Name of the file that reserves room on the disk.
pub(crate) const RESERVE: &str = "relay.reserve";

/// Settings with which the database is opened. Pages are small because each commit writes at
/// least one page of events and one page of their index, and most commits contain one event.
pub(super) const PROFILE: Profile = Profile {
    page_bytes: 4096,
    cache_kib: 16_000,
    checkpoint_bytes: 16 * 1024 * 1024,
    has_triggers: true,
};

/// Database file whose schema is the schema of this build.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    path: PathBuf,
}

impl Database {
    /// Returns the database file of this folder. The file may not exist yet.
    pub(crate) fn at(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join(FILE_NAME),
        }
    }

    /// Returns whether the folder contains a relay database.
    pub(crate) fn is_at(data_dir: &Path) -> bool {
        Self::at(data_dir).path.exists()
    }

    /// Creates the folder and the file if they are missing and brings the schema up to date.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, DatabaseError> {
        podtap_disk::private::folder(data_dir).map_err(|source| DatabaseError::DataDir {
            path: data_dir.to_owned(),
            source,
        })?;
        let database = Self::at(data_dir);
        let opened = || database.prepare();
        // If the disk is full, deleting the reserve file frees the room that opening needs. After
        // that, the removal of acknowledged events frees more.
        opened().or_else(|error| match error {
            DatabaseError::Full { .. } if std::fs::remove_file(data_dir.join(RESERVE)).is_ok() => {
                opened()
            }
            error => Err(error),
        })?;
        Ok(database)
    }

    /// Opens the file for writing and brings its schema up to date.
    fn prepare(&self) -> Result<(), DatabaseError> {
        let mut connection = self.writer()?;
        // SQLite opens a file without write permission too, but for reading only.
        let is_readonly = connection.is_readonly(c"main");
        if is_readonly.map_err(self.error_in("open the database"))? {
            return Err(DatabaseError::DataDir {
                source: std::io::ErrorKind::PermissionDenied.into(),
                path: self.folder().to_owned(),
            });
        }
        self.migrate(&mut connection)
    }

    /// Opens a connection that may write. Its commits are on stable storage when they return.
    pub(crate) fn writer(&self) -> Result<Connection, DatabaseError> {
        sqlite::writer(&self.path, &PROFILE).map_err(self.error_in("open the database"))
    }

    /// Opens a connection that cannot write.
    pub(crate) fn reader(&self) -> Result<Connection, DatabaseError> {
        sqlite::reader(&self.path, &PROFILE).map_err(self.error_in("open the database"))
    }

    /// Returns a function that converts an SQLite error into an error that names this file.
    pub(crate) fn error_in(
        &self,
        attempt: &'static str,
    ) -> impl FnOnce(rusqlite::Error) -> DatabaseError {
        let path = self.path.clone();
        move |source| DatabaseError::of(attempt, path, source.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn migrate(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let path = self.path.clone();
        sqlite::migrate(connection, schema::MIGRATIONS).map_err(|error| match error {
            MigrateError::Newer { found, known } => DatabaseError::Newer { path, found, known },
            MigrateError::Sqlite(cause) => {
                DatabaseError::of("bring the schema up to date", path, cause)
            }
        })
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

        assert!(
            matches!(error, DatabaseError::Malformed { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(FILE_NAME), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();

        let error = Database::open(&file.join("data")).unwrap_err();

        assert!(matches!(error, DatabaseError::DataDir { .. }), "{error:?}");
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

        assert!(
            matches!(error, DatabaseError::Newer { found: 99, .. }),
            "{error:?}"
        );
    }
}
