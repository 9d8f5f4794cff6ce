//! Watches the free space of the disk.
//!
//! There is a floor below which no event is accepted, and a reserve file. If another program
//! fills the disk, the file is removed to make room for acknowledgements (invariant 5).

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::database::RESERVE as FILE_NAME;

/// Time for which a reading of the free space is used. In that time, the fastest disk
/// writes less than the default floor.
const CHECK_PERIOD: Duration = Duration::from_millis(250);

/// Divisor of the floor: this part of it has to be free on the disk itself.
const LOG_SHARE: u64 = 4;

/// Free space below which the reserve is released, because a transaction may need more.
const CRITICAL_BYTES: u64 = 1024 * 1024;

/// What the writer knows about the free space.
#[derive(Debug)]
pub(super) struct DiskSpace {
    folder: PathBuf,
    min_free_bytes: u64,
    reserve_bytes: u64,
    checked: Option<(Instant, bool)>,
    /// Bytes free above the floor at the last reading.
    left: u64,
}

impl DiskSpace {
    pub(super) fn new(folder: &Path, min_free_bytes: u64, reserve_bytes: u64) -> Self {
        let mut space = Self {
            folder: folder.to_owned(),
            min_free_bytes,
            reserve_bytes,
            checked: None,
            left: u64::MAX,
        };
        space.has_room(|| 0);
        // The space is read again for the first event, when the reusable bytes of the database are
        // known.
        space.checked = None;
        space
    }

    /// Returns whether events may be accepted. Restores the reserve when there is room again.
    /// `reusable` returns the number of unused bytes in the database, which are written before
    /// the file grows.
    pub(super) fn has_room(&mut self, reusable: impl FnOnce() -> u64) -> bool {
        match self.checked {
            Some((at, answer)) if at.elapsed() < CHECK_PERIOD => answer,
            _ => self.check(reusable()),
        }
    }

    /// Returns whether the last reading was below the floor.
    pub(super) fn is_short(&self) -> bool {
        self.checked.is_some_and(|(_, has_room)| !has_room)
    }

    /// Returns the bytes free above the floor at the last reading, or [`u64::MAX`] if they are
    /// unknown.
    pub(super) fn free_bytes(&self) -> u64 {
        self.left
    }

    /// Removes the reserve file. Returns whether it existed.
    pub(super) fn release_reserve(&mut self) -> bool {
        self.checked = Some((Instant::now(), false));
        std::fs::remove_file(self.folder.join(FILE_NAME)).is_ok()
    }

    fn check(&mut self, reusable: u64) -> bool {
        let answer = match podtap_disk::space::free(&self.folder) {
            Ok(free) => {
                let free_or_reusable = free.saturating_add(reusable);
                self.left = free_or_reusable.saturating_sub(self.min_free_bytes);
                self.give_up_where_full(free);
                self.is_enough(free, reusable)
            }
            Err(error) => {
                tracing::warn!(%error, "the free space of the data folder cannot be read");
                self.left = u64::MAX;
                true
            }
        };
        self.checked = Some((Instant::now(), answer));
        answer
    }

    /// Removes the reserve file on a full disk, because acknowledgements and connecting agents
    /// must be written, even by a relay that starts on a disk that another program has filled.
    fn give_up_where_full(&self, free: u64) {
        if free < CRITICAL_BYTES && std::fs::remove_file(self.folder.join(FILE_NAME)).is_ok() {
            tracing::warn!("the disk is full; what is reserved is used for acknowledgements");
        }
    }

    /// Returns whether free space, reusable space of the database and the reserve together reach
    /// the floor. A part of the floor has to be free on the disk itself, for the write-ahead log.
    fn is_enough(&self, free: u64, reusable: u64) -> bool {
        let had_reserve = self.has_reserve();
        let left = if had_reserve {
            free
        } else {
            free.saturating_sub(self.reserve_bytes)
        };
        let room = left
            .saturating_add(reusable)
            .saturating_add(self.reserve_bytes);
        room >= self.min_free_bytes
            && left >= self.min_free_bytes / LOG_SHARE
            && (had_reserve || self.make_reserve())
    }

    fn has_reserve(&self) -> bool {
        let reserve = self.folder.join(FILE_NAME).metadata();
        reserve.is_ok_and(|file| file.len() == self.reserve_bytes)
    }

    /// Creates the reserve file. Returns whether this succeeded.
    fn make_reserve(&self) -> bool {
        let path = self.folder.join(FILE_NAME);
        let written = write_zeroes(&path, self.reserve_bytes);
        if let Err(error) = &written {
            tracing::warn!(%error, "the reserve file cannot be written");
        }
        written.is_ok()
    }
}

/// Writes zeroes, because a sparse file would not reserve any blocks.
fn write_zeroes(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = podtap_disk::private::file(path)?;
    file.set_len(0)?;
    let zeroes = vec![0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let step = zeroes
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(zeroes.get(..step).unwrap_or(&zeroes))?;
        left -= step as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_floor_there_is_no_room() {
        let folder = tempfile::tempdir().unwrap();
        assert!(DiskSpace::new(folder.path(), 0, 0).has_room(|| 0));
        assert!(!DiskSpace::new(folder.path(), u64::MAX, 0).has_room(|| 0));
    }

    #[test]
    fn what_the_database_can_use_again_counts_as_room() {
        const MIB: u64 = 1024 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let space = DiskSpace::new(folder.path(), 64 * MIB, 16 * 1024);
        // These numbers are from a disk that the relay's own queue had filled: 63 MiB free on the
        // disk, 94 MiB in the file.
        assert!(space.is_enough(63 * MIB, 94 * MIB));
        assert!(!space.is_enough(63 * MIB, 0));
        // Without room for the log, nothing can be written.
        assert!(!space.is_enough(MIB, 94 * MIB));
    }

    #[test]
    fn the_reserve_is_there_until_the_disk_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let space = DiskSpace::new(folder.path(), 0, 100_000);
        let file = folder.path().join(FILE_NAME);
        space.give_up_where_full(CRITICAL_BYTES);
        assert!(file.exists());
        space.give_up_where_full(CRITICAL_BYTES - 1);
        assert!(!file.exists());
    }

    #[test]
    fn the_reserve_is_real_and_can_be_given_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut space = DiskSpace::new(folder.path(), 0, 100_000);
        let file = folder.path().join(FILE_NAME);
        assert_eq!(file.metadata().unwrap().len(), 100_000);

        assert!(space.release_reserve());

        assert!(!file.exists());
        assert!(
            !space.has_room(|| 0),
            "nothing is accepted right after the disk was full"
        );
        assert!(!space.release_reserve());
    }
}
