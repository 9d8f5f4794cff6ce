//! The writer thread: gathers what waits, commits it as one transaction, and only then answers.
//!
//! It owns the only connection of this process that writes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::Seq;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch::{self, Batch, Step, Until};
use super::command::{Append, Command, Outcome, Removal, Reply};
use super::keep::{self, Ages, Tidy};
use super::shared::Shared;
use super::space::Space;
use crate::database::{self, Database};
use crate::metrics::Metrics;
use crate::queue::{AppendError, QueueError, QueueLimits, TunnelId};

/// Commands in one transaction. Larger batches no longer make a commit cheaper per event.
const BATCH_COMMANDS: usize = 1024;

/// Bytes after which a transaction takes no more events, so that no commit takes long.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

/// Rows removed in one transaction. Deleting is the dear part (about 75,000 rows a second), and
/// appends must not wait for an agent's whole backlog.
const BATCH_REMOVALS: u64 = 1024;

/// How long a broken file is left alone between two attempts to reopen it.
pub(super) const REOPEN_PERIOD: Duration = Duration::from_secs(1);

/// How a writing connection is made. A value, so that a test can pass one that fails.
pub(crate) type Opener = Box<dyn Fn() -> Result<Connection, database::Error> + Send>;

/// What the thread owns.
pub(super) struct Writer {
    database: Database,
    opener: Opener,
    connection: Connection,
    ages: Ages,
    tidy: Tidy,
    /// When the file last failed; set until it was reopened and checked.
    broken: Option<Instant>,
    limits: QueueLimits,
    space: Space,
    shared: Arc<Shared>,
    metrics: Arc<Metrics>,
    appends: Vec<Append>,
    removals: VecDeque<Removal>,
}

impl Writer {
    pub(super) fn open(
        database: &Database,
        limits: QueueLimits,
        metrics: Arc<Metrics>,
        shared: Arc<Shared>,
        opener: Opener,
    ) -> Result<Self, database::Error> {
        let connection = opener()?;
        Ok(Self {
            database: database.clone(),
            opener,
            connection,
            ages: Ages::default(),
            tidy: Tidy::default(),
            broken: None,
            space: Space::new(
                database.folder(),
                limits.min_free_bytes,
                limits.reserve_bytes,
            ),
            limits,
            shared,
            metrics,
            appends: Vec::new(),
            removals: VecDeque::new(),
        })
    }

    /// Runs until told to close or until nobody can send commands any more.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
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
                if let Command::Append { event, .. } = &next {
                    bytes += event.bytes();
                }
                closing = self.take(next);
            }
            self.write();
        }
        commands.close();
        while self.broken.is_none() && !self.removals.is_empty() {
            self.write();
        }
        if self.broken.is_none() {
            Tidy::at_the_end(&self.connection);
        }
        drop(self);
        if let Some(reply) = closing {
            let _ = reply.send(Ok(()));
        }
    }

    /// Puts a command where the next transaction finds it. Answers whom to tell that all is over.
    fn take(&mut self, command: Command) -> Option<Reply<(), QueueError>> {
        match command {
            Command::Append { event, reply } => self.appends.push((event, reply)),
            Command::Acknowledge {
                tunnel,
                through,
                reply,
            } => self.removals.push_back(Removal {
                tunnel,
                until: Until::Acknowledged(through),
                reply: Some(reply),
            }),
            Command::Expire {
                max_age,
                now,
                reply,
            } => self.expire(max_age, now, reply),
            Command::SetAside {
                tunnel,
                unreadable,
                reply,
            } => {
                let _ = reply.send(self.set_aside(tunnel, &unreadable));
            }
            Command::Suspect if self.broken.is_none() => {
                let long_ago = Instant::now().checked_sub(REOPEN_PERIOD);
                self.broken = long_ago.or_else(|| Some(Instant::now()));
            }
            Command::Suspect => {}
            Command::Watch { tunnel, reply } => {
                let _ = reply.send(self.watch(tunnel));
            }
            Command::Probe { reply } => {
                let _ = reply.send(self.probe());
            }
            // A job that is dropped tells its caller so.
            Command::Run(job) => {
                if self.repair() {
                    job(&mut self.connection);
                }
            }
            Command::Close { reply } => return Some(reply),
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
        let mut written = self.commit(has_room);
        if is_disk_full(&written) && self.space.release_reserve() {
            // Only what makes room is tried again.
            written = self.commit(false);
        }
        match written {
            Ok(outcome) => {
                self.tidy.wrote();
                self.metrics
                    .committed(outcome.accepted(), started.elapsed());
                self.finish(outcome);
            }
            Err(error) => self.failed(&error),
        }
    }

    /// One transaction over everything gathered.
    fn commit(&mut self, has_room: bool) -> rusqlite::Result<Outcome> {
        let left = self.space.left();
        let mut batch = Batch::begin(&mut self.connection)?;
        let mut appended = Vec::with_capacity(self.appends.len());
        for (event, _) in &self.appends {
            appended.push(if has_room {
                batch.append(event, &self.limits, left)?
            } else {
                Err(AppendError::NoSpace)
            });
        }
        let mut allowance = BATCH_REMOVALS;
        let mut steps = Vec::new();
        for removal in &self.removals {
            if allowance == 0 {
                break;
            }
            steps.push(batch.remove(removal.tunnel, removal.until, &mut allowance)?);
        }
        Ok(Outcome {
            depths: batch.commit()?,
            appended,
            steps,
        })
    }

    /// Wakes the sessions and answers everyone whose part is on stable storage.
    fn finish(&mut self, outcome: Outcome) {
        for (tunnel, depth) in outcome.depths {
            self.shared.publish(tunnel, depth);
        }
        for ((_, reply), answer) in self.appends.drain(..).zip(outcome.appended) {
            // Whoever asked may have gone away; the event is stored all the same.
            let _ = reply.send(answer);
        }
        for step in outcome.steps {
            let Some(removal) = self.removals.pop_front() else {
                break;
            };
            match step {
                // First come, first finished: only the last step of a batch can be this.
                Step::More => self.removals.push_front(removal),
                Step::Finished => removal.answer(Ok(())),
                Step::UnknownTunnel => {
                    self.shared.forget(removal.tunnel);
                    removal.answer(Err(QueueError::UnknownTunnel));
                }
            }
        }
    }

    /// Queues the removal of what is too old. Also the tick that repairs an idle, broken file.
    fn expire(&mut self, max_age: Duration, now: Now, reply: Reply<(), QueueError>) {
        if !self.repair() {
            let _ = reply.send(Err(QueueError::Unavailable));
            return;
        }
        let is_short = self.space.is_short();
        self.tidy.step(&self.connection, is_short);
        let beyond = self.ages.beyond(&mut self.connection, max_age, now);
        let beyond = beyond.unwrap_or_else(|error| {
            tracing::error!(
                error = podtap_disk::words(&error),
                "the queue cannot look for old events"
            );
            Vec::new()
        });
        self.removals
            .extend(beyond.into_iter().map(|(tunnel, through)| Removal {
                tunnel,
                until: Until::Expired(through),
                reply: None,
            }));
        // Removals end in the order in which they began: after the last one all are done.
        match self.removals.back_mut() {
            Some(last) if last.reply.is_none() => last.reply = Some(reply),
            _ => drop(reply.send(Ok(()))),
        }
    }

    fn has_room(&mut self) -> bool {
        let reusable = || podtap_disk::sqlite::free_bytes(&self.connection).unwrap_or(0);
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
        keep::set_aside(&mut self.connection, tunnel, unreadable).map_err(|error| {
            self.failed(&error);
            QueueError::Unavailable
        })
    }

    fn watch(&mut self, tunnel: TunnelId) -> Result<(), QueueError> {
        if !self.repair() {
            return Err(QueueError::Unavailable);
        }
        match batch::depth(&self.connection, tunnel) {
            Ok(Some(depth)) => {
                self.shared.watch(tunnel, depth);
                Ok(())
            }
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

    /// Decides what a failed transaction means. A lock held too long or a full disk leaves the
    /// file sound; after anything else SQLite may report success for what is not on the disk, so
    /// nothing is written until the file was reopened and checked.
    fn failed(&mut self, error: &rusqlite::Error) {
        tracing::error!(
            error = podtap_disk::words(error),
            events = self.appends.len(),
            "the queue cannot commit"
        );
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {}
            Some(ErrorCode::DiskFull) => {
                self.space.release_reserve();
            }
            _ => {
                self.broken = Some(Instant::now());
            }
        }
        self.refuse_all();
    }

    fn refuse_all(&mut self) {
        for (_, reply) in self.appends.drain(..) {
            let _ = reply.send(Err(AppendError::Unavailable));
        }
        for removal in self.removals.drain(..) {
            removal.answer(Err(QueueError::Unavailable));
        }
    }

    /// Whether the file can be used, after an attempt to make it so where it is time for one.
    fn repair(&mut self) -> bool {
        let Some(since) = self.broken else {
            return true;
        };
        if since.elapsed() < REOPEN_PERIOD {
            return false;
        }
        match self.reopen() {
            Ok(()) => {
                tracing::info!("the queue's file was reopened and is sound");
                self.broken = None;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the queue's file is still unusable");
                self.broken = Some(Instant::now());
                false
            }
        }
    }

    fn reopen(&mut self) -> Result<(), database::Error> {
        // The failed connection goes first: what it believes about the file must not be reused.
        self.connection = Connection::open_in_memory()
            .map_err(self.database.failed("open a database in memory"))?;
        self.database.make_whole()?;
        self.connection = (self.opener)()?;
        Ok(())
    }
}

fn is_disk_full(written: &rusqlite::Result<Outcome>) -> bool {
    let code = written
        .as_ref()
        .err()
        .and_then(rusqlite::Error::sqlite_error_code);
    code == Some(ErrorCode::DiskFull)
}
