//! Errors of the relay database. Each message says what the operator can do.

use std::path::PathBuf;

use podtap_disk::{SqliteCause, Trouble};

/// Reason why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The folder cannot be created, read or written.
    #[error(
        "cannot use the data folder {}: check that you may write there, or choose another with --data-dir",
        path.display()
    )]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Another relay uses the folder.
    #[error(
        "another relay is running with the data folder {}; stop it or choose another with --data-dir",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The file is damaged or is not a relay database.
    #[error(
        "{} is not a readable relay database; restore it from a backup, or move it away to start \
         with an empty one",
        path.display()
    )]
    Malformed {
        path: PathBuf,
        /// Error of SQLite.
        source: SqliteCause,
    },
    /// The file was written by a newer release.
    #[error(
        "{} was written by a newer podtap (schema {found}; this one reads up to {known}); upgrade \
         podtap",
        path.display()
    )]
    Newer {
        path: PathBuf,
        /// Schema number of the file.
        found: usize,
        /// Newest schema number that this build knows.
        known: usize,
    },
    /// There is no room on the disk.
    #[error(
        "the disk of {} is full; free some space or choose another folder with --data-dir",
        path.display()
    )]
    Full {
        path: PathBuf,
        /// Error of SQLite.
        source: SqliteCause,
    },
    /// A statement failed.
    #[error("cannot {attempt} in {}", path.display())]
    Sqlite {
        /// Operation that failed.
        attempt: &'static str,
        path: PathBuf,
        /// Error of SQLite.
        source: SqliteCause,
    },
}

impl DatabaseError {
    /// Converts an SQLite error that occurred during `attempt` on the file at `path`.
    pub(super) fn of(attempt: &'static str, path: PathBuf, source: SqliteCause) -> Self {
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
