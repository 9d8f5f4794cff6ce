//! Contains what differs between operating systems: a clock that never goes back, and the
//! free space of a disk.

#[cfg(unix)]
pub(crate) use unix::{free, steady};

#[cfg(not(unix))]
pub(crate) use other::{free, steady};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    /// Reads a clock that never goes back. It also runs while the machine sleeps.
    pub(crate) fn steady() -> Duration {
        #[cfg(target_os = "linux")]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let clock = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }

    /// Returns the number of bytes that this user may still write.
    pub(crate) fn free(folder: &Path) -> io::Result<u64> {
        let statistics = rustix::fs::statvfs(folder)?;
        Ok(statistics.f_bavail.saturating_mul(statistics.f_frsize))
    }
}

/// This module is type-checked, but never run.
#[cfg(not(unix))]
mod other {
    use std::io;
    use std::path::Path;
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    /// Returns the time since the first call in this process.
    pub(crate) fn steady() -> Duration {
        START.elapsed()
    }

    /// Always fails: SQLite reports when the disk is full.
    pub(crate) fn free(_folder: &Path) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
