//! Reads the free space of a disk.

use std::io;
use std::path::Path;

use crate::system;

/// Free space below which SQLite cannot create its own small files, and reports that the
/// disk is broken.
const NOTHING: u64 = 256 * 1024;

/// Returns whether the disk of this folder is full.
pub fn is_full(folder: &Path) -> bool {
    free(folder).is_ok_and(|bytes| bytes < NOTHING)
}

/// Returns the number of bytes that this user may still write to the disk of this folder.
pub fn free(folder: &Path) -> io::Result<u64> {
    system::free(folder)
}
