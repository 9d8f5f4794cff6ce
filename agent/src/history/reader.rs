//! Runs reads on threads. Each thread has its own connection, so reads wait neither for writes nor
//! for each other. A read whose caller is gone is interrupted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use podtap_disk::Trouble;
use podtap_disk::private::{self, FileIdentity};
use podtap_disk::sqlite;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection;
use super::error::HistoryError;

/// Maximum number of reads that wait for one thread.
const QUEUED_READS: usize = 64;

/// Steps of SQLite's virtual machine between two checks
/// whether the caller still waits: well under 1 ms.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A read. Returns whether the connection can no longer be used.
type ReadJob = Box<dyn FnOnce(&mut Connection) -> bool + Send>;

/// A thread that reads until its last handle is dropped. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    jobs: mpsc::Sender<ReadJob>,
    /// Number of reads that are running or waiting.
    under_way: Arc<AtomicUsize>,
}

impl Reader {
    /// Opens the history at `path`, which must exist, and starts a thread with this name.
    pub(crate) fn open(path: &Path, name: &str) -> Result<Self, HistoryError> {
        let mut file = OpenFile::open(path)?;
        let (jobs, mut queue) = mpsc::channel::<ReadJob>(QUEUED_READS);
        let under_way = Arc::new(AtomicUsize::new(0));
        let ended = Arc::clone(&under_way);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    file.follow();
                    file.is_over |= job(&mut file.connection);
                    ended.fetch_sub(1, Ordering::Relaxed);
                }
                sqlite::close(file.connection);
            })
            .map_err(HistoryError::prepare(path))?;
        Ok(Self { jobs, under_way })
    }

    /// Returns the number of running and waiting reads, as seen by another thread.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Runs a query.
    ///
    /// # Cancel safety
    /// Dropping the future interrupts the query.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        let waiting = PendingReply(Arc::new(AtomicBool::new(true)));
        let wanted = Arc::clone(&waiting.0);
        let job = move |connection: &mut Connection| {
            if wanted.load(Ordering::Relaxed) {
                let found = interruptible(connection, wanted, query);
                let is_over = found.as_ref().is_err_and(|error| {
                    matches!(Trouble::of(error), Trouble::Io | Trouble::Missing)
                });
                let _ = answer.send(found);
                return is_over;
            }
            false
        };
        let place = self.jobs.reserve().await;
        let place = place.map_err(|_| HistoryError::Closed)?;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        place.send(Box::new(job));
        let found = answered.await.map_err(|_| HistoryError::Closed)?;
        found.map_err(HistoryError::read)
    }
}

/// A connection and the identity of its file.
struct OpenFile {
    path: PathBuf,
    identity: Option<FileIdentity>,
    connection: Connection,
    /// Whether the connection failed and another one may work.
    is_over: bool,
}

impl OpenFile {
    fn open(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self {
            path: path.to_owned(),
            identity: private::identity(path),
            connection: connection::read_only(path)?,
            is_over: false,
        })
    }

    /// Opens the file that is at the path now: a damaged one may have been rebuilt. If there is
    /// none, keeps the old file open, which is better than nothing.
    fn follow(&mut self) {
        let now = private::identity(&self.path);
        if (self.is_over || now != self.identity)
            && now.is_some()
            && let Ok(anew) = Self::open(&self.path)
        {
            *self = anew;
        }
    }
}

fn interruptible<T>(
    connection: &mut Connection,
    wanted: Arc<AtomicBool>,
    query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let abandoned = move || !wanted.load(Ordering::Relaxed);
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(abandoned))?;
    query(connection)
}

/// Becomes `false` when dropped.
struct PendingReply(Arc<AtomicBool>);

impl Drop for PendingReply {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
