//! One process per folder or history: a lock on a file beside it, which the system releases
//! whatever way the process ends. While it is held the file names the process; a good end empties
//! it, so that the next one knows whether the last one was cut off.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::private;

/// How often a lock that is taken is asked for again, and the time between.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(20);

/// Held as long as the process has the files.
#[derive(Debug)]
pub struct Lock {
    file: File,
    was_cut_off: bool,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it; its id, where it could be read.
    Taken(Option<u32>),
    /// The file cannot be made or locked.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock of this file, made where missing.
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
            // Read after a power cut; once at the start costs nothing.
            .and_then(|()| file.sync_all());
        match written {
            Ok(()) => {}
            // A full disk must not keep anybody from what is on it; the lock is held.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
            Err(error) => return Err(LockError::Io(error)),
        }
        Ok(Self {
            file,
            was_cut_off: !holder.trim().is_empty(),
        })
    }

    /// Looks whether another process has the lock of this file, and makes and takes nothing.
    ///
    /// # Errors
    /// As [`take`](Self::take) would fail, but for a missing file, whose lock nobody has.
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

    /// Whether the process before this one ended without releasing the lock.
    pub fn was_cut_off(&self) -> bool {
        self.was_cut_off
    }

    /// Releases it after a good end.
    pub fn release(self) -> io::Result<()> {
        self.file.set_len(0)
    }
}

/// Who only looks has the lock for a moment: asked again before it counts as another's.
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
