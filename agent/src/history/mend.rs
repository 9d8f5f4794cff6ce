//! Handles a file that the writer cannot write: waits and tries again, reopens and checks the file
//! if written data may be lost, and reports the state to listeners.
//!
//! A full disk, a file locked by another program, a disk error, a missing file: all of these may
//! pass, and then the writer continues without help.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use podtap_disk::check::{self, DatabaseHealth};
use podtap_disk::private::{self, FileIdentity};
use podtap_disk::{SqliteCause, Trouble};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{connection, rebuild};

/// Pause after the first failure; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Maximum pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Why the history cannot be written at present; `None` while it can.
pub(crate) type WriteTrouble = Option<Arc<str>>;

/// The state of the writer's file.
#[derive(Debug)]
pub(super) struct Mend {
    path: PathBuf,
    identity: Option<FileIdentity>,
    trouble: Option<FailingWrites>,
    /// Doubled by each failure, and reset once a write succeeds.
    pause: Duration,
    state: watch::Sender<WriteTrouble>,
}

#[derive(Debug)]
struct FailingWrites {
    cause: Arc<SqliteCause>,
    retry_at: Instant,
    reopen: bool,
}

impl Mend {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            identity: private::identity(path),
            trouble: None,
            pause: FIRST_PAUSE,
            state: watch::Sender::new(None),
        }
    }

    pub(super) fn state(&self) -> watch::Receiver<WriteTrouble> {
        self.state.subscribe()
    }

    /// Returns why nothing can be written now. Notices a file that was moved, deleted or replaced:
    /// data written to such a file would be lost.
    pub(super) fn trouble(&mut self) -> Option<Arc<SqliteCause>> {
        if self.trouble.is_none() && private::identity(&self.path) != self.identity {
            self.note_failure(&no_such_file());
        }
        self.trouble
            .as_ref()
            .map(|failing| Arc::clone(&failing.cause))
    }

    /// Returns the time until the next attempt; `None` if writing works.
    pub(super) fn wait(&self) -> Option<Duration> {
        let failing = self.trouble.as_ref()?;
        Some(failing.retry_at.saturating_duration_since(Instant::now()))
    }

    /// Records a failed transaction; returns whether the
    /// failure may pass. An error in a statement does not.
    pub(super) fn note_failure(&mut self, error: &rusqlite::Error) -> bool {
        let kind = Trouble::of(error);
        if kind == Trouble::Other {
            return false;
        }
        let reopen = kind.needs_reopening() || self.trouble.as_ref().is_some_and(|t| t.reopen);
        let cause = Arc::new(SqliteCause::from(clone(error)));
        let words = format!("the history cannot be written: {cause}");
        self.state.send_if_modified(|state| {
            let is_news = state.as_deref() != Some(&words);
            if is_news {
                *state = Some(words.into());
            }
            is_news
        });
        self.trouble = Some(FailingWrites {
            cause,
            retry_at: Instant::now() + self.pause,
            reopen,
        });
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        true
    }

    /// Notes that a write succeeded.
    pub(super) fn wrote(&mut self) {
        self.pause = FIRST_PAUSE;
    }

    /// Tries to write to the file; returns whether it worked.
    pub(super) fn retry(&mut self, writing: &mut Connection) -> bool {
        let Some(failing) = &self.trouble else {
            return true;
        };
        let reopened = if failing.reopen {
            self.reopen(writing)
        } else {
            Ok(())
        };
        match reopened.and_then(|()| probe(writing)) {
            Ok(()) => {
                tracing::info!("the history can be written again");
                self.identity = private::identity(&self.path);
                self.trouble = None;
                self.state.send_replace(None);
                true
            }
            Err(error) => {
                if !self.note_failure(&error) {
                    self.note_failure(&no_such_file());
                }
                false
            }
        }
    }

    /// Replaces the connection and checks the file: what the old connection has cached may not be
    /// on the disk. A damaged file is rebuilt.
    fn reopen(&self, writing: &mut Connection) -> rusqlite::Result<()> {
        // Close the old connection first.
        *writing = Connection::open_in_memory()?;
        if !self.path.exists() {
            // A new file at this path would hide that the old one is missing.
            return Err(no_such_file());
        }
        let mut opened = connection::open_writer(&self.path)?;
        if let DatabaseHealth::Damaged(findings) = check::quick(&opened)? {
            drop(opened);
            rebuild::rebuild(&self.path, &findings).map_err(|error| {
                tracing::error!(%error, "the damaged history cannot be rebuilt");
                rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                    Some(error.to_string()),
                )
            })?;
            opened = connection::open_writer(&self.path)?;
        }
        *writing = opened;
        Ok(())
    }
}

/// Writes something that reaches the disk.
fn probe(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // A new value each time: SQLite does not write a value that is already stored.
    transaction.execute(
        "INSERT INTO upkeep (name, value) VALUES ('probe', '1') \
         ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
        [],
    )?;
    transaction.commit()
}

fn no_such_file() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
        Some("it is missing, or another file is in its place".to_owned()),
    )
}

/// Returns the error that SQLite reports for a damaged file.
pub(super) fn damage_error() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        None,
    )
}

fn clone(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, words) => {
            rusqlite::Error::SqliteFailure(*code, words.clone())
        }
        other => rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR),
            Some(podtap_disk::words(other)),
        ),
    }
}
