//! Runs the writer thread, which gathers queued commands, commits them as one transaction,
//! and only then answers.
//!
//! It owns the only connection of this process that writes.

use std::sync::Arc;
use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::Seq;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::acknowledged::RIDE_AFTER;
use super::batch::{self, BatchTransaction, RemovalBound};
use super::command::SqliteCommand;
use super::herald::Herald;
use super::keep::{self, QueueAges, QueueTidy};
use super::removals::Removals;
use super::shared::SharedQueue;
use super::space::DiskSpace;
use super::storage::{ConnectionOpener, Storage, TransactionFailure};
use crate::database::{self, Database};
use crate::metrics::Metrics;
use crate::queue::batch::{Append, BatchOutcome};
use crate::queue::commands::CommandReply;
use crate::queue::share::SpaceLeft;
use crate::queue::{AppendError, Depth, EngineLimits, QueueError, TunnelId};

/// Maximum number of commands per transaction. More would not reduce the cost per event.
const BATCH_COMMANDS: usize = 1024;

/// Number of bytes after which no more events are added to a transaction, so that no commit
/// takes long.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

/// State that the thread owns.
pub(super) struct SqliteWriter {
    storage: Storage,
    ages: QueueAges,
    tidy: QueueTidy,
    limits: EngineLimits,
    space: DiskSpace,
    shared: Arc<SharedQueue>,
    metrics: Arc<Metrics>,
    herald: Herald,
    appends: Vec<Append>,
    removals: Removals,
    /// Whether events were appended since the ends of the queues were last written.
    is_behind: bool,
}

impl SqliteWriter {
    pub(super) fn open(
        database: &Database,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
        shared: Arc<SharedQueue>,
        herald: Herald,
        opener: ConnectionOpener,
    ) -> Result<Self, database::DatabaseError> {
        Ok(Self {
            storage: Storage::open(database, opener)?,
            ages: QueueAges::default(),
            tidy: QueueTidy::default(),
            space: DiskSpace::new(
                database.folder(),
                limits.min_free_bytes,
                limits.reserve_bytes,
            ),
            limits,
            shared,
            metrics,
            herald,
            appends: Vec::new(),
            removals: Removals::default(),
            is_behind: false,
        })
    }

    /// Runs until it receives a close command or all senders of commands are gone.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<SqliteCommand>) {
        let mut closing = None;
        while closing.is_none() {
            let first = if self.removals.is_empty() {
                match commands.blocking_recv() {
                    Some(command) => Some(command),
                    None => break,
                }
            } else {
                commands.try_recv().ok()
            };
            closing = first.and_then(|command| self.take(command));
            let mut bytes = 0;
            for _ in 1..BATCH_COMMANDS {
                if closing.is_some() || bytes > BATCH_BYTES {
                    break;
                }
                let Ok(next) = commands.try_recv() else { break };
                if let SqliteCommand::Append((event, _)) = &next {
                    bytes += event.bytes();
                }
                closing = self.take(next);
            }
            self.write();
        }
        commands.close();
        self.settle();
        while !self.storage.is_broken() && !self.removals.is_empty() {
            self.write();
        }
        if !self.storage.is_broken() {
            self.note_ends();
            QueueTidy::at_the_end(&self.storage.connection);
        }
        drop(self);
        if let Some(reply) = closing {
            let _ = reply.send(Ok(()));
        }
    }

    /// Adds a command to the next transaction. For a close command, returns where to send the
    /// reply.
    fn take(&mut self, command: SqliteCommand) -> Option<CommandReply<()>> {
        match command {
            SqliteCommand::Append(append) => self.appends.push(append),
            SqliteCommand::Acknowledge {
                tunnel,
                through,
                reply,
            } => {
                let until = RemovalBound::Acknowledged(through);
                self.removals.push(tunnel, until, Some(reply));
            }
            SqliteCommand::Expire {
                max_age,
                now,
                reply,
            } => self.expire(max_age, now, reply),
            SqliteCommand::SetAside {
                tunnel,
                unreadable,
                reply,
            } => {
                let _ = reply.send(self.set_aside(tunnel, &unreadable));
            }
            SqliteCommand::Suspect => self.storage.suspect(),
            SqliteCommand::Settle { reply } => {
                self.settle();
                if let Some(reply) = reply {
                    self.removals.then(reply);
                }
            }
            SqliteCommand::Follow { tunnel, reply } => {
                let _ = reply.send(self.follow(tunnel));
            }
            SqliteCommand::Probe { reply } => {
                let _ = reply.send(self.probe());
            }
            // If the job is dropped, its caller gets an error.
            SqliteCommand::Run(job) => {
                if self.repair() {
                    // On a full disk, this releases the reserve for the job.
                    self.has_room();
                    job(&mut self.storage.connection);
                }
            }
            SqliteCommand::Close { reply } => return Some(reply),
        }
        None
    }

    fn probe(&mut self) -> Result<(), AppendError> {
        if !self.repair() {
            Err(AppendError::Unavailable)
        } else if self.has_room() {
            Ok(())
        } else {
            Err(AppendError::NoSpace)
        }
    }

    fn write(&mut self) {
        if !self.repair() {
            self.refuse_all();
            return;
        }
        if self.appends.is_empty() && self.removals.is_empty() {
            return;
        }
        let started = Instant::now();
        let has_room = self.has_room();
        if !has_room || self.shared.is_due(RIDE_AFTER) {
            self.settle();
        }
        let is_full =
            |error: &rusqlite::Error| TransactionFailure::of(error) == TransactionFailure::Full;
        let mut written = self.commit(has_room);
        if written.as_ref().is_err_and(is_full) && self.space.release_reserve() {
            // Only removals are tried again, because they make room.
            written = self.commit(false);
        }
        match written {
            Ok(outcome) => {
                self.tidy.wrote();
                self.is_behind |= outcome.accepted_events() > 0;
                self.metrics
                    .count_commit(outcome.accepted_events(), started.elapsed());
                self.finish(outcome);
            }
            Err(error) => self.note_failure(&error),
        }
    }

    /// Commits everything gathered in one transaction. If there is no room for an event and
    /// there are acknowledged events, removes those in a transaction before.
    fn commit(&mut self, has_room: bool) -> rusqlite::Result<BatchOutcome> {
        let may_wait = self.shared.has_acknowledged() || self.removals.have_acknowledged();
        if let Some(outcome) = self.transaction(has_room, may_wait)? {
            return Ok(outcome);
        }
        let waiting = std::mem::take(&mut self.appends);
        self.removals.put_first(self.shared.take_acknowledged());
        let made_way = self.transaction(has_room, false);
        let made_way = made_way.map(|outcome| self.finish(outcome.unwrap_or_default()));
        self.appends = waiting;
        made_way?;
        Ok(self.transaction(has_room, false)?.unwrap_or_default())
    }

    /// Runs one transaction. Returns `None`, with nothing changed, if an event is refused for
    /// lack of room and `may_wait` is set.
    fn transaction(
        &mut self,
        has_room: bool,
        may_wait: bool,
    ) -> rusqlite::Result<Option<BatchOutcome>> {
        let mut left = self.space_left()?;
        let mut batch = BatchTransaction::begin(&mut self.storage.connection)?;
        let mut appended = Vec::with_capacity(self.appends.len());
        for (event, _) in &self.appends {
            let answer = if has_room {
                batch.append(event, &self.limits, &mut left)?
            } else {
                Err(AppendError::NoSpace)
            };
            if may_wait && answer.is_err_and(AppendError::wants_room) {
                return Ok(None);
            }
            appended.push(answer);
        }
        let steps = self.removals.step(&mut batch)?;
        Ok(Some(BatchOutcome {
            depths: batch.commit()?,
            appended,
            steps,
        }))
    }

    /// Returns what is left for all queues. The used bytes of the file count as their size.
    fn space_left(&self) -> rusqlite::Result<SpaceLeft> {
        let used = podtap_disk::sqlite::used_bytes(&self.storage.connection)?;
        Ok(SpaceLeft {
            total: self.limits.max_total_bytes.saturating_sub(used),
            disk: self.space.free_bytes(),
        })
    }

    /// Queues the removal of all acknowledged events.
    fn settle(&mut self) {
        for (tunnel, through) in self.shared.take_acknowledged() {
            self.removals
                .push(tunnel, RemovalBound::Acknowledged(through), None);
        }
    }

    /// Wakes the sessions, and answers all callers whose events or removals are on stable storage.
    fn finish(&mut self, outcome: BatchOutcome) {
        let (events, replies): (Vec<_>, Vec<_>) = self.appends.drain(..).unzip();
        let stored = events.into_iter().zip(&outcome.appended);
        let stored = stored.filter_map(|(event, answer)| {
            let tunnel = event.tunnel;
            Some((tunnel, event.into_frame(answer.ok()?)))
        });
        self.shared.publish(stored, outcome.depths);
        self.herald
            .answer(replies.into_iter().zip(outcome.appended).collect());
        for tunnel in self.removals.apply(outcome.steps) {
            self.shared.forget(tunnel);
        }
    }

    /// Queues the removal of events that are too old. Also repairs a broken file of an idle queue.
    fn expire(&mut self, max_age: Duration, now: Now, reply: CommandReply<()>) {
        if !self.repair() {
            let _ = reply.send(Err(QueueError::Unavailable));
            return;
        }
        self.shared.sweep();
        self.note_ends();
        // Acknowledged events are removed first, so that they are not reported as missing.
        self.settle();
        let is_short = self.space.is_short();
        self.tidy.step(&self.storage.connection, is_short);
        let beyond = (self.ages).beyond(&mut self.storage.connection, max_age, now);
        let beyond = beyond.unwrap_or_else(|error| {
            tracing::error!(
                error = podtap_disk::words(&error),
                "the queue cannot look for old events"
            );
            Vec::new()
        });
        for (tunnel, through) in beyond {
            self.removals
                .push(tunnel, RemovalBound::Expired(through), None);
        }
        self.removals.then(reply);
    }

    fn note_ends(&mut self) {
        if std::mem::take(&mut self.is_behind)
            && let Err(error) = database::note_ends(&self.storage.connection)
        {
            self.is_behind = true;
            tracing::debug!(
                error = podtap_disk::words(&error),
                "cannot write down where the queues end"
            );
        }
    }

    fn has_room(&mut self) -> bool {
        let reusable = || podtap_disk::sqlite::free_bytes(&self.storage.connection).unwrap_or(0);
        self.space.has_room(reusable)
    }

    fn set_aside(
        &mut self,
        tunnel: TunnelId,
        unreadable: &[(Seq, String)],
    ) -> Result<(), QueueError> {
        if !self.repair() {
            return Err(QueueError::Unavailable);
        }
        keep::set_aside(&mut self.storage.connection, tunnel, unreadable).map_err(|error| {
            self.note_failure(&error);
            QueueError::Unavailable
        })
    }

    fn follow(&mut self, tunnel: TunnelId) -> Result<watch::Receiver<Depth>, QueueError> {
        if !self.repair() {
            return Err(QueueError::Unavailable);
        }
        match batch::depth(&self.storage.connection, tunnel) {
            Ok(Some(depth)) => Ok(self.shared.follow(tunnel, depth)),
            Ok(None) => Err(QueueError::UnknownTunnel),
            Err(error) => {
                tracing::error!(
                    error = podtap_disk::words(&error),
                    "the queue cannot look a tunnel up"
                );
                Err(QueueError::Unavailable)
            }
        }
    }

    fn note_failure(&mut self, error: &rusqlite::Error) {
        tracing::error!(
            error = podtap_disk::words(error),
            events = self.appends.len(),
            "the queue cannot commit"
        );
        match TransactionFailure::of(error) {
            TransactionFailure::Sound => {}
            TransactionFailure::Full => {
                self.space.release_reserve();
            }
            TransactionFailure::Broken => self.storage.broke(),
        }
        self.refuse_all();
    }

    fn refuse_all(&mut self) {
        let refused = self.appends.drain(..);
        let refused = refused.map(|(_, reply)| (reply, Err(AppendError::Unavailable)));
        self.herald.answer(refused.collect());
        for (tunnel, through) in self.removals.refuse() {
            self.shared.acknowledge(tunnel, through);
        }
    }

    /// Returns whether the file can be used; see [`Storage::repair`].
    fn repair(&mut self) -> bool {
        let shared = &self.shared;
        // A rebuilt file may have other content for an event than the old one.
        self.storage.repair(|| shared.forget_recent())
    }
}
