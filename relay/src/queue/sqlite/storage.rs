//! The writer's connection, and what is done after it failed: nothing is written until the file was
//! reopened and checked.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::time::Instant;

use crate::database::{self, Database};

/// How long a broken file is left alone between two attempts to reopen it.
pub(super) const REOPEN_PERIOD: Duration = Duration::from_secs(1);

/// How a writing connection is made. A value, so that a test can pass one that fails.
pub(crate) type ConnectionOpener =
    Box<dyn Fn() -> Result<Connection, database::DatabaseError> + Send>;

/// The one connection of this process that writes.
pub(super) struct Storage {
    database: Database,
    opener: ConnectionOpener,
    pub(super) connection: Connection,
    /// When the file last failed; set until it was reopened and checked.
    broken: Option<Instant>,
}

/// What a failed transaction means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TransactionFailure {
    /// The file is as it was before.
    Sound,
    /// So it is, and the disk is full.
    Full,
    /// SQLite may report success for what is not on the disk.
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

    /// Whether nothing can be written until the file was reopened.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// A transaction failed in a way that leaves the file in doubt.
    pub(super) fn broke(&mut self) {
        self.broken = Some(Instant::now());
    }

    /// A reader met damage: the file is checked at the next occasion.
    pub(super) fn suspect(&mut self) {
        if self.broken.is_none() {
            let now = Instant::now();
            self.broken = now.checked_sub(REOPEN_PERIOD).or(Some(now));
        }
    }

    /// Whether the file can be used, after an attempt to make it so where it is time for one;
    /// `reopened` is called after one that succeeded.
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
        // The failed connection goes first: what it believes about the file must not be reused.
        self.connection = Connection::open_in_memory()
            .map_err(self.database.error_in("open a database in memory"))?;
        self.database.make_whole()?;
        self.connection = (self.opener)()?;
        Ok(())
    }
}
