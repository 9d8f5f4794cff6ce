//! Ensures that a data folder has one relay at most, with a lock file that is held while
//! the relay runs.

use std::fs::{File, TryLockError};
use std::path::Path;

use podtap_disk::lock;

use super::error::DatabaseError;

const FILE_NAME: &str = "relay.lock";

/// Lock of the running relay. The operating system releases it however the process ends.
#[derive(Debug)]
pub(crate) struct DataFolderLock(lock::Lock);

impl DataFolderLock {
    /// Locks the folder, which is created if it is missing. Returns an error if another relay
    /// has the lock.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, DatabaseError> {
        let unusable = |source| DatabaseError::DataDir {
            path: data_dir.to_owned(),
            source,
        };
        podtap_disk::private::folder(data_dir).map_err(unusable)?;
        match lock::Lock::take(&data_dir.join(FILE_NAME)) {
            Ok(lock) => Ok(Self(lock)),
            Err(lock::LockError::Taken(_)) => Err(DatabaseError::Locked {
                path: data_dir.to_owned(),
            }),
            Err(lock::LockError::Io(source)) => Err(unusable(source)),
        }
    }

    /// Returns whether the previous relay ended without releasing the lock.
    pub(crate) fn was_cut_off(&self) -> bool {
        self.0.was_cut_off()
    }

    /// Releases the folder after an orderly end.
    pub(crate) fn release(self) {
        if let Err(error) = self.0.release() {
            tracing::warn!(%error, "the lock file cannot be emptied; the next start checks the database");
        }
    }

    /// Returns whether a relay has ever locked the folder.
    pub(crate) fn was_taken(data_dir: &Path) -> bool {
        data_dir.join(FILE_NAME).exists()
    }

    /// Returns whether a relay holds the lock of the folder now.
    pub(crate) fn is_taken(data_dir: &Path) -> bool {
        File::open(data_dir.join(FILE_NAME))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_relay_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolderLock::take(folder.path()).unwrap();

        let second = DataFolderLock::take(folder.path());

        assert!(
            matches!(second, Err(DatabaseError::Locked { .. })),
            "{second:?}"
        );
        assert!(DataFolderLock::is_taken(folder.path()));
        drop(first);
        assert!(!DataFolderLock::is_taken(folder.path()));
        assert!(DataFolderLock::take(folder.path()).is_ok());
    }
}
