//! Ensures that each history has only one agent with a link: a lock on a file beside the history,
//! which the operating system releases however the process ends.

use std::io;
use std::path::{Path, PathBuf};

use podtap_disk::{lock, private};

/// A lock that is held as long as the agent runs.
#[derive(Debug)]
pub(crate) struct HistoryLock(lock::Lock);

/// Why the lock is not available.
#[derive(Debug)]
pub(crate) enum HistoryLockError {
    /// Another process holds it; its id, if it could be read.
    Taken(Option<u32>),
    /// The file cannot be created or locked.
    Io(PathBuf, io::Error),
}

impl HistoryLock {
    /// Acquires the lock of the history at `history`. Creates its folder if it does not exist.
    pub(crate) fn take(history: &Path) -> Result<Self, HistoryLockError> {
        let path = private::beside(history, ".lock");
        if let Some(folder) = history.parent() {
            private::folder(folder)
                .map_err(|error| HistoryLockError::Io(folder.to_owned(), error))?;
        }
        match lock::Lock::take(&path) {
            Ok(lock) => Ok(Self(lock)),
            Err(lock::LockError::Taken(pid)) => Err(HistoryLockError::Taken(pid)),
            Err(lock::LockError::Io(error)) => Err(HistoryLockError::Io(path, error)),
        }
    }

    /// Returns whether the previous agent was cut off.
    pub(crate) fn was_cut_off(&self) -> bool {
        self.0.was_cut_off()
    }

    /// Releases the lock after a clean end.
    pub(crate) fn release(self) {
        if let Err(error) = self.0.release() {
            tracing::warn!(%error, "the lock file cannot be emptied; the next start checks the history");
        }
    }
}
