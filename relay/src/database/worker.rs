//! Named threads that own a connection each and run short jobs on it, so that no async task ever
//! waits for the disk.

use std::sync::{Arc, Mutex, PoisonError};

use podtap_disk::private::{self, FileIdentity};
use podtap_disk::sqlite;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::DatabaseError;
use super::file::Database;

/// Jobs that wait; more make their callers wait.
const BACKLOG: usize = 256;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A handle on the threads; they end with the last clone of it.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
}

/// The threads are gone.
#[derive(Debug, thiserror::Error)]
#[error("the database threads have ended")]
pub(crate) struct WorkerClosed;

/// A connection, and the file that it was made to.
struct OpenFile {
    database: Database,
    identity: Option<FileIdentity>,
    connection: Connection,
}

impl OpenFile {
    fn open(database: &Database) -> Result<Self, DatabaseError> {
        Ok(Self {
            identity: private::identity(database.path()),
            connection: database.reader()?,
            database: database.clone(),
        })
    }

    /// Goes on with the file that is there now: a damaged one may have been rebuilt.
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
    /// Starts `threads` readers of the database.
    pub(crate) fn readers(database: &Database, threads: usize) -> Result<Self, DatabaseError> {
        let (jobs, waiting) = mpsc::channel::<Job>(BACKLOG);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads {
            let mut file = OpenFile::open(database)?;
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
    /// Dropping the future may or may not keep the work from being done; its result is lost.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, WorkerClosed>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> T + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job = Box::new(move |connection: &Connection| {
            // The caller may have gone away meanwhile.
            let _ = reply.send(work(connection));
        });
        self.jobs.send(job).await.map_err(|_| WorkerClosed)?;
        result.await.map_err(|_| WorkerClosed)
    }
}
