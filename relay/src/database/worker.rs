//! Runs short database jobs on named threads, each with its own connection, so that an
//! async task never waits for the disk.

use std::sync::{Arc, Mutex, PoisonError};

use podtap_disk::private::{self, FileIdentity};
use podtap_disk::sqlite;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::DatabaseError;
use super::file::Database;

/// Maximum number of queued jobs. If it is reached, callers wait.
const BACKLOG: usize = 256;

type WorkerJob = Box<dyn FnOnce(&Connection) + Send>;

/// Handle on the threads, which end when its last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    jobs: mpsc::Sender<WorkerJob>,
}

/// The threads have ended.
#[derive(Debug, thiserror::Error)]
#[error("the database threads have ended")]
pub(crate) struct WorkerClosed;

/// Connection and the identity of the file that it opened.
struct OpenDatabase {
    database: Database,
    identity: Option<FileIdentity>,
    connection: Connection,
}

impl OpenDatabase {
    fn open(database: &Database) -> Result<Self, DatabaseError> {
        Ok(Self {
            identity: private::identity(database.path()),
            connection: database.reader()?,
            database: database.clone(),
        })
    }

    /// Reopens the database if another file is now at its path, for example a rebuilt one.
    fn follow(&mut self) {
        let now = private::identity(self.database.path());
        if now != self.identity
            && now.is_some()
            && let Ok(anew) = Self::open(&self.database)
        {
            *self = anew;
        }
    }
}

impl Worker {
    /// Starts `threads` threads that read the database.
    pub(crate) fn readers(database: &Database, threads: usize) -> Result<Self, DatabaseError> {
        let (jobs, waiting) = mpsc::channel::<WorkerJob>(BACKLOG);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads {
            let mut file = OpenDatabase::open(database)?;
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name(format!("relay-read-{number}"))
                .spawn(move || {
                    let next = || {
                        let mut jobs = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                        jobs.blocking_recv()
                    };
                    while let Some(job) = next() {
                        file.follow();
                        job(&file.connection);
                    }
                    sqlite::close(file.connection);
                })
                .map_err(|source| DatabaseError::DataDir {
                    path: database.folder().to_owned(),
                    source,
                })?;
        }
        Ok(Self { jobs })
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Cancel safety
    /// If the future is dropped, the work may still run; its result is lost.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, WorkerClosed>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> T + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job = Box::new(move |connection: &Connection| {
            // The receiver may be gone if the caller was cancelled.
            let _ = reply.send(work(connection));
        });
        self.jobs.send(job).await.map_err(|_| WorkerClosed)?;
        result.await.map_err(|_| WorkerClosed)
    }
}
