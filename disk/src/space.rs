//! Room on a disk.

use std::io;
use std::path::Path;

use crate::system;

/// Room below which SQLite cannot even make its own small files, and says that the disk is broken.
const NOTHING: u64 = 256 * 1024;

/// Whether the disk of this folder is full.
pub fn is_full(folder: &Path) -> bool {
    free(folder).is_ok_and(|bytes| bytes < NOTHING)
}

/// Bytes that this user may still write to the disk of this folder.
pub fn free(folder: &Path) -> io::Result<u64> {
    system::free(folder)
}
