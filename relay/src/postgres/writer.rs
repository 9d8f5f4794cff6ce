//! Runs the writer task, which gathers queued commands, commits them as one transaction,
//! and only then answers.
//!
//! It owns the relay's only connection that stores events. If the connection breaks, all
//! queued commands fail, and the next command causes an attempt to reconnect.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::batch::{self, BatchWork, RoomPolicy};
use super::depths::Depths;
use super::known::KnownUsage;
use super::removals::{PendingAcknowledgements, QueueRemoval, SessionRemovalBound};
use super::signals::Notifications;
use super::statements::Statements;
use crate::database::postgres::{Own, Postgres, words};
use crate::metrics::Metrics;
use crate::queue::batch::{Append, BatchOutcome, RemovalStep};
use crate::queue::commands::CommandReply;
use crate::queue::{AppendError, EngineLimits, QueueError};

/// Maximum number of commands in one transaction.
const BATCH_COMMANDS: usize = 1024;

/// Number of bytes after which no more events are added to a transaction.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

/// Maximum time to wait for as many events as the previous transaction had. Each transaction costs
/// the server and this relay about as much as a few dozen events. A single sender causes no wait.
const GATHER: Duration = Duration::from_millis(1);

/// Maximum time of a transaction. It is shorter than the time that a sender waits.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(8);

/// Maximum time of an attempt to connect, during which queued commands wait.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Minimum time between two attempts to connect.
const RECONNECT_PERIOD: Duration = Duration::from_millis(500);

/// Command to the writer.
pub(super) enum PostgresCommand {
    Append(Append),
    Remove(QueueRemoval),
    /// Removes all acknowledged events.
    Settle {
        reply: Option<CommandReply<()>>,
    },
    Probe {
        reply: CommandReply<(), AppendError>,
    },
    Close {
        reply: CommandReply<()>,
    },
}

impl From<Append> for PostgresCommand {
    fn from(append: Append) -> Self {
        Self::Append(append)
    }
}

/// A connection and the statements prepared on it.
struct WriterConnection {
    own: Own,
    statements: Statements,
}

/// State that the task owns.
pub(super) struct PostgresWriter {
    pub(super) database: Postgres,
    pub(super) limits: EngineLimits,
    pub(super) depths: Arc<Depths>,
    pub(super) signals: Arc<Notifications>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) pending: Arc<PendingAcknowledgements>,
    pub(super) state: WriterState,
}

/// Commands in progress and the connection.
#[derive(Default)]
pub(super) struct WriterState {
    session: Option<WriterConnection>,
    /// Time at which the last attempt to connect failed.
    failed: Option<Instant>,
    appends: Vec<Append>,
    /// Number of events in the last transaction.
    last_appends: usize,
    removals: VecDeque<QueueRemoval>,
    known: KnownUsage,
}

impl WriterState {
    /// Returns whether there are events, but fewer than the last time: others may be on their way.
    fn has_fewer(&self) -> bool {
        !self.appends.is_empty() && self.appends.len() < self.last_appends
    }
}

impl PostgresWriter {
    /// Runs until it receives a close command or all senders of commands are gone.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<PostgresCommand>) {
        let mut closing = None;
        while closing.is_none() {
            let first = if self.state.removals.is_empty() {
                match commands.recv().await {
                    Some(command) => Some(command),
                    None => break,
                }
            } else {
                commands.try_recv().ok()
            };
            if let Some(command) = first {
                closing = self.take(command).await;
            }
            if closing.is_none() {
                closing = self.gather(&mut commands).await;
            }
            self.write().await;
        }
        commands.close();
        self.state.removals.extend(self.pending.take());
        while !self.state.removals.is_empty() && self.ensure_connected().await {
            self.write().await;
        }
        if let Some(reply) = closing {
            let _ = reply.send(Ok(()));
        }
    }

    /// Collects the queued commands, and those that arrive within [`GATHER`] if more are likely.
    async fn gather(
        &mut self,
        commands: &mut mpsc::Receiver<PostgresCommand>,
    ) -> Option<CommandReply<()>> {
        let until = Instant::now() + GATHER;
        let mut bytes = 0;
        for _ in 1..BATCH_COMMANDS {
            let next = match commands.try_recv() {
                Ok(next) => Some(next),
                Err(_) if self.state.has_fewer() => {
                    timeout_at(until, commands.recv()).await.ok().flatten()
                }
                Err(_) => None,
            };
            let Some(next) = next else { break };
            if let PostgresCommand::Append((event, _)) = &next {
                bytes += event.bytes();
            }
            let closing = self.take(next).await;
            if closing.is_some() || bytes > BATCH_BYTES {
                return closing;
            }
        }
        None
    }

    /// Adds a command to the next transaction. For a close command, returns where to send the
    /// reply.
    async fn take(&mut self, command: PostgresCommand) -> Option<CommandReply<()>> {
        match command {
            PostgresCommand::Append(append) => self.state.appends.push(append),
            PostgresCommand::Remove(removal) => {
                if let SessionRemovalBound::Expired(_) = removal.until {
                    // Acknowledgements first: events that the agent has must not be reported as
                    // missing.
                    self.state.removals.extend(self.pending.take());
                }
                self.state.removals.push_back(removal);
            }
            PostgresCommand::Settle { reply } => {
                let mut settled = self.pending.take();
                match (settled.last_mut(), reply) {
                    (Some(last), Some(reply)) => last.reply = Some(reply),
                    (None, Some(reply)) => drop(reply.send(Ok(()))),
                    (_, None) => {}
                }
                self.state.removals.extend(settled);
            }
            PostgresCommand::Probe { reply } => {
                let _ = reply.send(self.probe().await);
            }
            PostgresCommand::Close { reply } => return Some(reply),
        }
        None
    }

    async fn probe(&mut self) -> Result<(), AppendError> {
        if !self.ensure_connected().await {
            return Err(AppendError::Unavailable);
        }
        let Some(session) = &self.state.session else {
            return Err(AppendError::Unavailable);
        };
        // A standby answers too, but cannot store events.
        let asked = session
            .own
            .client
            .query_one("SELECT pg_is_in_recovery()", &[]);
        match timeout(CONNECT_TIMEOUT, asked).await {
            Ok(Ok(row)) if !row.get::<_, bool>(0) => Ok(()),
            _ => {
                self.state.session = None;
                Err(AppendError::Unavailable)
            }
        }
    }

    async fn write(&mut self) {
        self.state.last_appends = self.state.appends.len();
        if self.state.appends.is_empty() && self.state.removals.is_empty() {
            return;
        }
        if !self.ensure_connected().await {
            self.refuse_all(AppendError::Unavailable);
            return;
        }
        let started = Instant::now();
        match timeout(COMMIT_TIMEOUT, self.commit()).await {
            Ok(Ok(Some(outcome))) => self.finish(outcome, started.elapsed()),
            Ok(Ok(None)) => self.refuse_all(AppendError::Unavailable),
            Ok(Err(error)) => self.fail_batch(&error).await,
            Err(_) => {
                tracing::error!("the database does not answer in time");
                self.state.session = None;
                self.refuse_all(AppendError::Unavailable);
            }
        }
    }

    /// Commits everything gathered in one transaction. If there is no room for an event and there
    /// are acknowledged events, removes those first. Returns `None` if there is no connection.
    async fn commit(&mut self) -> Result<Option<BatchOutcome>, Error> {
        let removals = self.state.removals.iter();
        let has_acknowledged = |removal: &QueueRemoval| {
            matches!(removal.until, SessionRemovalBound::Acknowledged { .. })
        };
        let room = if !self.pending.is_empty() || removals.clone().any(has_acknowledged) {
            RoomPolicy::CanBeMade
        } else {
            RoomPolicy::IsThis
        };
        if let Some(outcome) = self.transaction(room).await? {
            return Ok(Some(outcome));
        }
        self.state.removals.extend(self.pending.take());
        self.transaction(RoomPolicy::IsMade).await
    }

    async fn transaction(&mut self, room: RoomPolicy) -> Result<Option<BatchOutcome>, Error> {
        let WriterState {
            session,
            appends,
            removals,
            known,
            ..
        } = &mut self.state;
        let Some(WriterConnection { own, statements }) = session else {
            return Ok(None);
        };
        let work = BatchWork {
            appends: appends.iter().map(|(event, _)| event).collect(),
            removals: removals.iter().collect(),
            room,
        };
        batch::transaction(&own.client, statements, &work, &self.limits, known).await
    }

    /// Wakes the sessions, and answers all callers whose events or removals are on stable storage.
    fn finish(&mut self, outcome: BatchOutcome, took: Duration) {
        self.metrics.count_commit(outcome.accepted_events(), took);
        let (mut events, mut replies) = (Vec::new(), Vec::new());
        for ((event, reply), answer) in self.state.appends.drain(..).zip(outcome.appended) {
            if let Ok(seq) = answer {
                events.push((event.tunnel, event.into_frame(seq)));
            }
            replies.push((reply, answer));
        }
        let stored: Vec<_> = events.iter().map(|(tunnel, _)| *tunnel).collect();
        self.depths.publish(events, outcome.depths);
        for (reply, answer) in replies {
            // The receiver may be gone if the caller was cancelled. The event is stored anyway.
            let _ = reply.send(answer);
        }
        self.signals.tell_stored(stored.into_iter());
        let done: Vec<_> = self.state.removals.drain(..).zip(outcome.steps).collect();
        for (removal, step) in done {
            match step {
                RemovalStep::More => self.state.removals.push_back(removal),
                RemovalStep::Finished => removal.answer(Ok(())),
                RemovalStep::UnknownTunnel => {
                    self.depths.forget(removal.tunnel);
                    removal.answer(Err(QueueError::UnknownTunnel));
                }
            }
        }
    }

    async fn fail_batch(&mut self, error: &Error) {
        let events = self.state.appends.len();
        tracing::error!(error = words(error), events, "the queue cannot commit");
        let rolled_back = match &self.state.session {
            Some(session) => {
                let rollback = session.own.client.batch_execute("ROLLBACK");
                matches!(timeout(CONNECT_TIMEOUT, rollback).await, Ok(Ok(())))
            }
            None => false,
        };
        // The connection is replaced if the server has become a standby (class 25) or its tables
        // have changed.
        if !rolled_back
            || error
                .code()
                .is_none_or(|code| code.code().starts_with("25"))
        {
            self.state.session = None;
        }
        let is_full = error.code() == Some(&SqlState::DISK_FULL);
        self.refuse_all(if is_full {
            AppendError::NoSpace
        } else {
            AppendError::Unavailable
        });
    }

    fn refuse_all(&mut self, why: AppendError) {
        for (_, reply) in self.state.appends.drain(..) {
            let _ = reply.send(Err(why));
        }
        for removal in self.state.removals.drain(..) {
            if let SessionRemovalBound::Acknowledged { by, through } = removal.until {
                self.pending.note(removal.tunnel, by, through);
            }
            removal.answer(Err(QueueError::Unavailable));
        }
    }

    /// Returns whether there is a connection, after an attempt to connect if one is due.
    async fn ensure_connected(&mut self) -> bool {
        let state = &mut self.state;
        state
            .session
            .take_if(|session| session.own.client.is_closed());
        if state.session.is_some() {
            return true;
        }
        if state
            .failed
            .is_some_and(|at| at.elapsed() < RECONNECT_PERIOD)
        {
            return false;
        }
        let connect = async {
            let own = self.database.connector().own().await?;
            let statements = Statements::prepare(&own.client).await?;
            Ok::<_, Error>(WriterConnection { own, statements })
        };
        let connected = timeout(CONNECT_TIMEOUT, connect).await;
        let why = match connected {
            Ok(Ok(session)) => {
                if state.failed.take().is_some() {
                    tracing::info!("the database is back");
                }
                state.session = Some(session);
                return true;
            }
            Ok(Err(error)) => words(&error),
            Err(_) => "it does not answer in time".to_owned(),
        };
        if state.failed.replace(Instant::now()).is_none() {
            tracing::error!(
                why,
                "the database cannot be reached; webhooks are refused until it is back"
            );
        }
        false
    }
}
