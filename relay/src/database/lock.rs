//! One relay a data folder: a lock file held for as long as the relay runs.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::Error;

const FILE_NAME: &str = "relay.lock";

/// Held by the running relay; the system releases it whatever way the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder, or says that another relay has it.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::DataDir {
            path: data_dir.to_owned(),
            source,
        };
        let file = File::create(data_dir.join(FILE_NAME)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                path: data_dir.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_relay_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();

        let second = Lock::take(folder.path());

        assert!(matches!(second, Err(Error::Locked { .. })), "{second:?}");
        drop(first);
        assert!(Lock::take(folder.path()).is_ok());
    }
}
