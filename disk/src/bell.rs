//! Notifies a process that another has written to a database that both have open: the
//! writer touches the file, and the operating system notifies the listener. SQLite does not
//! use a file's times.
//!
//! Nothing relies on it: a write without a notification is found by a periodic check.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Time between two checks if the system reports writes, for writers that do not ring.
const RARELY: Duration = Duration::from_secs(5);

/// Notifies the listeners of this database that it was written to.
pub fn ring(database: &Path) {
    if let Err(error) = hanging::ring(database) {
        tracing::debug!(%error, "others hear later that the database was written to");
    }
}

/// Reports when to check a database to which other processes may write.
#[derive(Debug)]
pub struct Bell {
    looks: Interval,
    listener: Option<hanging::BellListener>,
}

impl Bell {
    /// Listens for writes to a database. If the system cannot report them, the bell rings every
    /// `otherwise`. Must be called within a runtime.
    pub fn at(database: &Path, otherwise: Duration) -> Self {
        match hanging::BellListener::at(database) {
            Ok(listener) => Self {
                listener: Some(listener),
                ..Self::every(RARELY)
            },
            Err(error) => {
                tracing::debug!(%error, "the database is looked at all the time");
                Self::every(otherwise)
            }
        }
    }

    /// Returns a bell that rings periodically, without a database.
    pub fn every(period: Duration) -> Self {
        let mut looks = interval(period);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            looks,
            listener: None,
        }
    }

    /// Waits until it is time for a check.
    ///
    /// # Cancel safety
    /// Safe: a notification that was not returned is returned by the next call.
    pub async fn wait(&mut self) {
        let Self { looks, listener } = self;
        let rung = async {
            match listener {
                Some(listener) => listener.rung().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = rung => {}
            _ = looks.tick() => {}
        }
    }
}

#[cfg(target_os = "linux")]
mod hanging {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::{Path, PathBuf};

    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// Number of bytes of notifications to read at once. All notifications mean the same.
    const EVENT_BYTES: usize = 4096;

    /// Touches the file by its path: a database is never opened except by SQLite, see
    /// `private::database`.
    pub(super) fn ring(database: &Path) -> io::Result<()> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        Ok(utimensat(CWD, database, &times, AtFlags::empty())?)
    }

    #[derive(Debug)]
    pub(super) struct BellListener {
        database: PathBuf,
        told: AsyncFd<OwnedFd>,
    }

    impl BellListener {
        pub(super) fn at(database: &Path) -> io::Result<Self> {
            let told = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            #[expect(
                deprecated,
                reason = "an owned descriptor stays open; what replaces it is unsafe for others"
            )]
            let told = AsyncFd::with_interest(told, Interest::READABLE)?;
            let listener = Self {
                database: database.to_owned(),
                told,
            };
            listener.watch()?;
            Ok(listener)
        }

        /// Watches the file that is now at the path, which may be a rebuilt one. Ordinary writes to
        /// it, as by each checkpoint, are not reported.
        fn watch(&self) -> io::Result<()> {
            add_watch(self.told.get_ref(), &self.database, WatchFlags::ATTRIB)?;
            Ok(())
        }

        pub(super) async fn rung(&self) {
            loop {
                let Ok(mut ready) = self.told.readable().await else {
                    return std::future::pending().await;
                };
                let mut events = [0; EVENT_BYTES];
                let read = ready.try_io(|told| Ok(rustix::io::read(told, &mut events)?));
                // A false alarm: nothing could be read.
                let Ok(read) = read else { continue };
                if let Err(error) = read.and_then(|_| self.watch()) {
                    tracing::debug!(%error, "the database is looked at now and then");
                }
                return;
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod hanging {
    use std::io;
    use std::path::Path;

    pub(super) fn ring(_database: &Path) -> io::Result<()> {
        Ok(())
    }

    #[derive(Debug)]
    pub(super) enum BellListener {}

    impl BellListener {
        pub(super) fn at(_database: &Path) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) async fn rung(&self) {
            match *self {}
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    /// Returns a bell whose periodic check is later than the end of any test.
    async fn bell(path: &Path) -> Bell {
        let listener = hanging::BellListener::at(path).unwrap();
        let mut bell = Bell {
            listener: Some(listener),
            ..Bell::every(60 * PATIENCE)
        };
        // The first tick of an interval is immediate.
        bell.looks.tick().await;
        bell
    }

    #[tokio::test]
    async fn a_ring_is_heard_and_writing_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        std::fs::write(&path, "").unwrap();
        let mut bell = bell(&path).await;
        std::fs::write(&path, "a checkpoint").unwrap();
        assert!(bell.wait().now_or_never().is_none());

        ring(&path);
        timeout(PATIENCE, bell.wait()).await.unwrap();
        assert!(bell.wait().now_or_never().is_none(), "once");
    }

    #[tokio::test]
    async fn a_file_that_takes_the_place_of_another_rings_too() {
        let folder = tempfile::tempdir().unwrap();
        let (path, fresh) = (folder.path().join("x.db"), folder.path().join("y.db"));
        std::fs::write(&path, "").unwrap();
        let mut bell = bell(&path).await;
        std::fs::write(&fresh, "").unwrap();
        std::fs::rename(&fresh, &path).unwrap();
        timeout(PATIENCE, bell.wait()).await.unwrap();
        // Removing the old file may ring once more.
        while timeout(Duration::from_millis(100), bell.wait())
            .await
            .is_ok()
        {}

        ring(&path);
        timeout(PATIENCE, bell.wait()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_system_tells_nothing_there_is_a_look_each_period() {
        let missing = Path::new("/nonexistent/x.db");
        ring(missing);
        let mut bell = Bell::at(missing, Duration::from_millis(200));
        bell.wait().await;
        let before = tokio::time::Instant::now();
        bell.wait().await;
        assert_eq!(before.elapsed(), Duration::from_millis(200));
    }
}
