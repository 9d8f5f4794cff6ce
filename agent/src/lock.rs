//! One agent with a link for each history: a lock on a file beside it, released by the operating
//! system however the process ends.

use std::io;
use std::path::{Path, PathBuf};

use podtap_disk::{lock, private};

/// Held as long as the agent runs.
#[derive(Debug)]
pub(crate) struct HistoryLock(lock::Lock);

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum HistoryLockError {
    /// Another process has it; its id, where it could be read.
    Taken(Option<u32>),
    /// The file cannot be made or locked.
    Io(PathBuf, io::Error),
}

impl HistoryLock {
    /// Takes the lock of the history at `history`, whose folder is made where missing.
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

    /// Whether the agent before this one was cut off.
    pub(crate) fn was_cut_off(&self) -> bool {
        self.0.was_cut_off()
    }

    /// Releases it after a good end.
    pub(crate) fn release(self) {
        if let Err(error) = self.0.release() {
            tracing::warn!(%error, "the lock file cannot be emptied; the next start checks the history");
        }
    }
}
