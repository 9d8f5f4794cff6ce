//! Implements the queue in one SQLite file, with one writer thread and some reader threads.
//!
//! This file is the async interface. `writer` makes every change, and `batch` is one
//! transaction of it.

mod acknowledged;
mod batch;
mod command;
mod herald;
mod keep;
mod owner;
mod read;
mod removals;
mod shared;
mod space;
mod storage;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use podtap_disk::age::Now;
use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use rusqlite::Connection;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::commands::Commands;
use super::{
    AppendError, Depth, EngineLimits, Gap, Queue, QueueError, ReadLimit, SessionId, Totals,
    TunnelId,
};
use crate::database::{self, Database, Worker};
use crate::metrics::Metrics;
use acknowledged::SETTLE_AFTER;
use command::{SqliteCommand, SqliteJob};
use herald::Herald;
use shared::SharedQueue;
use storage::ConnectionOpener;
use writer::SqliteWriter;

/// Number of reader threads. With two, reading a backlog does not delay a live tunnel.
const READERS: usize = 2;

/// Queue in an SQLite database.
pub(crate) struct SqliteQueue {
    commands: Commands<SqliteCommand>,
    readers: Worker,
    shared: Arc<SharedQueue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Task that passes results to the runtime as long as the queue exists.
    _tasks: JoinSet<()>,
}

/// Result of a read.
struct SqlitePage {
    events: Vec<EventFrame>,
    had_damage: bool,
}

impl SqliteQueue {
    /// Opens the queue and starts its threads.
    pub(crate) fn open(
        database: &Database,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, database::DatabaseError> {
        let writing = database.clone();
        Self::open_with(
            database,
            limits,
            metrics,
            Box::new(move || writing.writer()),
        )
    }

    /// Does the same as [`Self::open`] with another function that opens the writer's connection.
    pub(crate) fn open_with(
        database: &Database,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
        opener: ConnectionOpener,
    ) -> Result<Self, database::DatabaseError> {
        let readers = Worker::readers(database, READERS)?;
        let (commands, waiting) = Commands::new();
        let shared = Arc::new(SharedQueue::default());
        let mut tasks = JoinSet::new();
        let herald = Herald::start(&mut tasks);
        let writer = SqliteWriter::open(
            database,
            limits,
            metrics,
            Arc::clone(&shared),
            herald,
            opener,
        )?;
        let writer = std::thread::Builder::new()
            .name("relay-write".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(|source| database::DatabaseError::DataDir {
                path: database.folder().to_owned(),
                source,
            })?;
        Ok(Self {
            commands,
            readers,
            shared,
            writer: Mutex::new(Some(writer)),
            _tasks: tasks,
        })
    }

    /// Returns the reader threads, for other parts that read this database.
    pub(crate) fn readers(&self) -> &Worker {
        &self.readers
    }

    /// Runs `work` on the writer's connection, between two of its transactions. All writes of
    /// this process use that connection, so they never wait for a lock.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> T + Send + 'static,
    {
        self.commands
            .ask(|reply| {
                let job: SqliteJob = Box::new(move |connection| {
                    let _ = reply.send(Ok(work(connection)));
                });
                SqliteCommand::Run(job)
            })
            .await
    }

    /// Reads once. Events that cannot be read are moved away before this returns, and are
    /// reported as a gap.
    async fn read(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> Result<SqlitePage, QueueError> {
        let found = self
            .readers
            .run(move |connection| read::events(connection, tunnel, after, at_most))
            .await
            .map_err(|_| QueueError::Unavailable)?;
        match found {
            Ok(found) => {
                let had_damage = !found.unreadable.is_empty();
                if had_damage {
                    let unreadable = found.unreadable;
                    self.commands
                        .ask(|reply| SqliteCommand::SetAside {
                            tunnel,
                            unreadable,
                            reply,
                        })
                        .await?;
                }
                Ok(SqlitePage {
                    events: found.events,
                    had_damage,
                })
            }
            Err(error) => {
                if podtap_disk::Trouble::of(&error) == podtap_disk::Trouble::Damaged {
                    let _ = self.commands.send(SqliteCommand::Suspect).await;
                }
                Err(read::to_queue_error("read events", &error))
            }
        }
    }

    /// Waits until all acknowledged events are deleted.
    async fn delete_acknowledged(&self) -> Result<(), QueueError> {
        let settled = self
            .commands
            .ask(|reply| SqliteCommand::Settle { reply: Some(reply) });
        match settled.await {
            // The unknown tunnel may be another one that was settled at the same time.
            Ok(()) | Err(QueueError::UnknownTunnel) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn subscribe(&self, tunnel: TunnelId) -> Result<watch::Receiver<Depth>, QueueError> {
        if let Some(known) = self.shared.subscribe(tunnel) {
            return Ok(known);
        }
        self.commands
            .ask(|reply| SqliteCommand::Follow { tunnel, reply })
            .await
    }
}

impl Queue for SqliteQueue {
    fn append(
        &self,
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> BoxFuture<'_, Result<Seq, AppendError>> {
        self.commands.append(tunnel, id, request).boxed()
    }

    fn read_after(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> BoxFuture<'_, Result<Vec<EventFrame>, QueueError>> {
        async move {
            let mut depth = self.subscribe(tunnel).await?;
            loop {
                Depth::wait_past(&mut depth, after).await?;
                if let Some(events) = self.shared.recent(tunnel, after, at_most) {
                    return Ok(events);
                }
                let read = self.read(tunnel, after, at_most).await?;
                if !(read.events.is_empty() && read.had_damage) {
                    return Ok(read.events);
                }
            }
        }
        .boxed()
    }

    fn follow(
        &self,
        tunnel: TunnelId,
    ) -> BoxFuture<'_, Result<watch::Receiver<Depth>, QueueError>> {
        self.subscribe(tunnel).boxed()
    }

    fn acknowledge_soon(&self, tunnel: TunnelId, _: SessionId, through: Seq) {
        if self.shared.acknowledge(tunnel, through) {
            // A writer that is this busy deletes acknowledged events along with its appends.
            self.commands.offer(SqliteCommand::Settle { reply: None });
        }
    }

    fn wait_for_acknowledged(&self) -> BoxFuture<'_, ()> {
        self.shared.wait_for_acknowledged().boxed()
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        async move {
            if self.shared.is_due(SETTLE_AFTER) {
                self.delete_acknowledged().await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn acknowledge(
        &self,
        tunnel: TunnelId,
        _: SessionId,
        through: Seq,
    ) -> BoxFuture<'_, Result<(), QueueError>> {
        self.commands
            .ask(move |reply| SqliteCommand::Acknowledge {
                tunnel,
                through,
                reply,
            })
            .boxed()
    }

    fn expire(&self, max_age: Duration, now: Now) -> BoxFuture<'_, Result<(), QueueError>> {
        self.commands
            .ask(move |reply| SqliteCommand::Expire {
                max_age,
                now,
                reply,
            })
            .boxed()
    }

    fn gaps(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Vec<Gap>, QueueError>> {
        async move {
            let read = self
                .readers
                .run(move |connection| read::gaps(connection, tunnel));
            read.await.map_err(|_| QueueError::Unavailable)?
        }
        .boxed()
    }

    fn depth(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Depth, QueueError>> {
        async move {
            self.delete_acknowledged().await?;
            Ok(*self.subscribe(tunnel).await?.borrow())
        }
        .boxed()
    }

    fn totals(&self) -> BoxFuture<'_, Result<Totals, QueueError>> {
        async move {
            let read = self.readers.run(read::totals);
            read.await.map_err(|_| QueueError::Unavailable)?
        }
        .boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        self.commands
            .ask(|reply| SqliteCommand::Probe { reply })
            .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            // The writer handles all earlier commands before its thread ends.
            let close = self.commands.ask(|reply| SqliteCommand::Close { reply });
            let _: Result<(), QueueError> = close.await;
            let writer = self
                .writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if writer.is_some_and(|thread| thread.join().is_err()) {
                tracing::error!("the queue's writer thread panicked");
            }
        }
        .boxed()
    }
}

impl fmt::Debug for SqliteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteQueue")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
