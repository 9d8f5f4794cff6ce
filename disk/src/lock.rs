//! Ensures one process per folder or history, with a lock on a file beside it.
//!
//! The operating system releases the lock however the process ends. While it is held, the
//! file contains the process id. An orderly end empties the file, so that the next process
//! knows whether the last one was cut off.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::private;

/// Number of attempts to get a lock that is taken, and the time between them.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(20);

/// Lock that a process holds while it uses the files.
#[derive(Debug)]
pub struct Lock {
    file: File,
    was_cut_off: bool,
}

/// Reason why the lock was not acquired.
#[derive(Debug)]
pub enum LockError {
    /// Another process holds it. Contains its id if it could be read.
    Taken(Option<u32>),
    /// The file cannot be created or locked.
    Io(io::Error),
}

impl Lock {
    /// Locks this file, which is created if it is missing.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let mut file = private::file(path).map_err(LockError::Io)?;
        let mut holder = String::new();
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let _ = file.read_to_string(&mut holder);
                return Err(LockError::Taken(holder.trim().parse().ok()));
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        let written = file
            .read_to_string(&mut holder)
            .and_then(|_| file.set_len(0))
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            // The content is needed after a power cut; one sync per start costs little.
            .and_then(|()| file.sync_all());
        match written {
            Ok(()) => {}
            // A full disk must not prevent access to the files on it, and the lock is held already.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
            Err(error) => return Err(LockError::Io(error)),
        }
        Ok(Self {
            file,
            was_cut_off: !holder.trim().is_empty(),
        })
    }

    /// Checks whether another process holds the lock of this file, without creating or locking it.
    ///
    /// # Errors
    /// The same as for [`take`](Self::take). A missing file is not an error: no process holds
    /// its lock.
    pub fn check(path: &Path) -> Result<(), LockError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(LockError::Io(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                Err(LockError::Taken(holder.trim().parse().ok()))
            }
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }

    /// Returns whether the previous process ended without releasing the lock.
    pub fn was_cut_off(&self) -> bool {
        self.was_cut_off
    }

    /// Releases the lock after an orderly end.
    pub fn release(self) -> io::Result<()> {
        self.file.set_len(0)
    }
}

/// Locks the file, with some attempts, because a process that only checks holds the lock
/// for a moment.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            answered => return answered,
        }
    }
    file.try_lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_and_an_unclean_end_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let first = Lock::take(&path).unwrap();
        assert!(!first.was_cut_off());

        let own = std::process::id();
        assert!(
            matches!(Lock::take(&path), Err(LockError::Taken(Some(pid))) if pid == own),
            "the holder is named"
        );
        assert!(matches!(Lock::check(&path), Err(LockError::Taken(Some(pid))) if pid == own));
        drop(first);

        let second = Lock::take(&path).unwrap();
        assert!(second.was_cut_off(), "the first one was not released");
        second.release().unwrap();
        assert!(Lock::check(&path).is_ok());
        assert!(Lock::check(&folder.path().join("no.lock")).is_ok());
        assert!(!Lock::take(&path).unwrap().was_cut_off());
    }
}
