//! Keeps the writer's connection. After a failure, nothing is written until the file was
//! reopened and checked.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::time::Instant;

use crate::database::{self, Database};

/// Minimum time between two attempts to reopen a broken file.
pub(super) const REOPEN_PERIOD: Duration = Duration::from_secs(1);

/// Opens the writer's connection. This is a value so that a test can pass a function that fails.
pub(crate) type ConnectionOpener =
    Box<dyn Fn() -> Result<Connection, database::DatabaseError> + Send>;

/// The one connection of this process that writes.
pub(super) struct Storage {
    database: Database,
    opener: ConnectionOpener,
    pub(super) connection: Connection,
    /// Time of the last failure; set until the file was reopened and checked.
    broken: Option<Instant>,
}

/// What a failed transaction means for the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TransactionFailure {
    /// The file is unchanged.
    Sound,
    /// The file is unchanged, and the disk is full.
    Full,
    /// The file must be checked, because SQLite may report success for data that is not on the
    /// disk.
    Broken,
}

impl TransactionFailure {
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Sound,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Broken,
        }
    }
}

impl Storage {
    pub(super) fn open(
        database: &Database,
        opener: ConnectionOpener,
    ) -> Result<Self, database::DatabaseError> {
        Ok(Self {
            database: database.clone(),
            connection: opener()?,
            opener,
            broken: None,
        })
    }

    /// Returns whether the file must be reopened before anything can be written.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Notes that a transaction failed in a way after which the file must be checked.
    pub(super) fn broke(&mut self) {
        self.broken = Some(Instant::now());
    }

    /// Notes that a reader found damage, so that the file is checked before the next write.
    pub(super) fn suspect(&mut self) {
        if self.broken.is_none() {
            let now = Instant::now();
            self.broken = now.checked_sub(REOPEN_PERIOD).or(Some(now));
        }
    }

    /// Returns whether the file can be used, after an attempt to reopen it if one is due. Calls
    /// `reopened` after a successful attempt.
    pub(super) fn repair(&mut self, reopened: impl FnOnce()) -> bool {
        let Some(since) = self.broken else {
            return true;
        };
        if since.elapsed() < REOPEN_PERIOD {
            return false;
        }
        match self.reopen() {
            Ok(()) => {
                tracing::info!("the queue's file was reopened and is sound");
                self.broken = None;
                reopened();
                true
            }
            Err(error) => {
                tracing::error!(%error, "the queue's file is still unusable");
                self.broken = Some(Instant::now());
                false
            }
        }
    }

    fn reopen(&mut self) -> Result<(), database::DatabaseError> {
        // The failed connection is closed first, so that its cached pages are not reused.
        self.connection = Connection::open_in_memory()
            .map_err(self.database.error_in("open a database in memory"))?;
        self.database.make_whole()?;
        self.connection = (self.opener)()?;
        Ok(())
    }
}
