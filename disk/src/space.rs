//! Room on a disk.

use std::io;
use std::path::Path;

/// Bytes that this user may still write to the disk of this folder.
pub fn free(folder: &Path) -> io::Result<u64> {
    let statistics = rustix::fs::statvfs(folder)?;
    Ok(statistics.f_bavail.saturating_mul(statistics.f_frsize))
}
