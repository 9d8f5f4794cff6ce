//! The writing side of the history: a handle that sends
//! commands to the writer's thread, which `commit` runs.

use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::EventId;
use tokio::sync::{mpsc, oneshot, watch};

use super::change::HistoryChange;
use super::clock_set::{ClockSet, Machine};
use super::commit::{Committer, WriterSide};
use super::connection;
use super::error::HistoryError;
use super::event::{Attempt, DeliveryState};
use super::fact::{self, Fact};
use super::handover::{HandedOver, Handover};
use super::imported::{self, ImportedRecord};
use super::inbox::HistoryCommand;
use super::incident::Incident;
use super::job::{Hands, Haste, job};
use super::later::Later;
use super::mend::{self, WriteTrouble};
use super::position::Position;
use super::repaired::{self, RepairedEvent};
use super::retention::{self, Retention};
use super::seen_ids::SeenIds;
use super::tally::Tally;
use super::write::{AppendCounts, NewAttempt, NewEvent, Reply};
use super::{rebuild, store};

/// Maximum number of waiting writes; beyond it, callers wait.
const QUEUED_WRITES: usize = 1024;

/// Number of rows that a removal counts as: as many as are written immediately.
const ROWS_OF_REMOVAL: usize = Later::MAX_ROWS;

/// Pause before a failed write is repeated, in addition to the writer's own pause.
const PAUSE: Duration = Duration::from_millis(100);

/// The writing side of a history. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer {
    commands: mpsc::Sender<HistoryCommand>,
    tally: watch::Receiver<Tally>,
    storage: watch::Receiver<WriteTrouble>,
    handover: Handover,
}

/// The thread behind a [`Writer`].
#[derive(Debug)]
pub struct WriterThread {
    commands: mpsc::Sender<HistoryCommand>,
    thread: JoinHandle<()>,
}

impl WriterThread {
    /// Commits the waiting writes and ends the thread.
    /// Every commit is on stable storage when it returns.
    pub async fn close(self) {
        let _ = self.commands.send(HistoryCommand::Close).await;
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the thread that writes the history has panicked");
        }
    }
}

impl Writer {
    /// Opens the history at `path` for writing, creates it if it does not exist, and starts its
    /// thread, which calls `announce` with each change after its commit.
    pub fn open(
        path: &Path,
        announce: impl Fn(HistoryChange) + Send + 'static,
    ) -> Result<(Self, WriterThread), HistoryError> {
        Self::open_as(WriterSide::Beside, path, announce)
    }

    /// Opens the history for a process on this [`WriterSide`].
    pub(crate) fn open_as(
        side: WriterSide,
        path: &Path,
        announce: impl Fn(HistoryChange) + Send + 'static,
    ) -> Result<(Self, WriterThread), HistoryError> {
        let connection = connection::read_write(path)?;
        let committer =
            Committer::new(path, side, connection, announce).map_err(HistoryError::open(path))?;
        let (commands, queue) = mpsc::channel(QUEUED_WRITES);
        let writer = Self {
            commands: commands.clone(),
            tally: committer.tally(),
            storage: committer.storage(),
            handover: committer.handover(),
        };
        let thread = std::thread::Builder::new()
            .name("history-write".to_owned())
            .spawn(move || committer.run(queue))
            .map_err(HistoryError::prepare(path))?;
        Ok((writer, WriterThread { commands, thread }))
    }

    /// Stores events in order; returns once they are on stable storage (invariant 1).
    pub async fn append(&self, events: Vec<NewEvent>) -> Result<AppendCounts, HistoryError> {
        self.append_offered(events, 0).await
    }

    /// Stores events of which the first `offered` were offered to delivery as they arrived.
    pub(crate) async fn append_offered(
        &self,
        events: Vec<NewEvent>,
        offered: usize,
    ) -> Result<AppendCounts, HistoryError> {
        self.ask(|answer| HistoryCommand::Append {
            events,
            offered,
            answer,
        })
        .await
    }

    /// Hands what is committed from now on to this many targets, and to no earlier ones. `known`
    /// are the events that the history has.
    pub(super) fn hand_over_to(&self, targets: usize, known: SeenIds) -> Vec<HandedOver> {
        self.handover.lead_to(targets, known)
    }

    /// Offers an arriving event to delivery before its commit if it is certainly new and `may_go`;
    /// returns whether it was offered. Must be called for each arriving event, in order.
    pub(crate) fn offer(&self, event: &NewEvent, may_go: bool) -> bool {
        let after = self.tally.borrow().newest;
        self.handover.send_ahead(event, after, may_go)
    }

    /// Returns the state of a new event: pending if anything is delivered, else held.
    pub(crate) fn state_of_new(&self) -> DeliveryState {
        if self.handover.leads_anywhere() {
            DeliveryState::Pending
        } else {
            DeliveryState::Held
        }
    }

    /// Imports events and attempts of another history, in order and in
    /// one transaction. Returns the events that were new, once everything
    /// is on stable storage. Imported events are not delivered.
    pub async fn import(&self, past: Vec<ImportedRecord>) -> Result<Vec<EventId>, HistoryError> {
        self.run(past.len(), move |hands| imported::import(hands, &past))
            .await
    }

    /// Appends rebuilt events, which are not delivered, except those that have arrived in the
    /// meantime. Returns the new ones once they are on stable storage.
    pub(crate) async fn append_repaired(
        &self,
        events: Vec<RepairedEvent>,
    ) -> Result<Vec<EventId>, HistoryError> {
        self.run(events.len(), move |hands| repaired::append(hands, &events))
            .await
    }

    /// Stores an attempt; returns it with its number once it is on stable storage.
    pub async fn record(&self, ended: NewAttempt) -> Result<Attempt, HistoryError> {
        let mut attempt = ended.attempt.clone();
        let number = self.run(1, move |hands| store::record(hands, &ended));
        attempt.number = number.await?.ok_or(HistoryError::Gone)?;
        Ok(attempt)
    }

    /// Queues an attempt for storing, without waiting for the commit.
    /// Attempts are stored in the order of the calls, so a crash loses
    /// only the last ones, and their events are delivered again.
    pub async fn record_soon(&self, ended: NewAttempt) -> Result<(), HistoryError> {
        self.run_soon(1, Haste::Later, move |hands| {
            store::record(hands, &ended).map(drop)
        })
        .await
    }

    /// Stores facts, all or none; returns once they are on stable storage.
    pub(crate) async fn add_facts(&self, facts: Vec<Fact>) -> Result<(), HistoryError> {
        self.run(facts.len(), move |hands| fact::write(hands, &facts))
            .await
    }

    /// Queues facts for storing, without waiting for the commit.
    pub(crate) async fn add_facts_soon(&self, facts: Vec<Fact>) -> Result<(), HistoryError> {
        let haste = if facts.iter().all(Fact::is_derived) {
            Haste::Later
        } else {
            Haste::Now
        };
        self.run_soon(facts.len(), haste, move |hands| fact::write(hands, &facts))
            .await
    }

    /// Removes some of the events beyond the limits of `retention`; returns whether there are more.
    /// After a power cut, the events removed last may be back; then they are removed again.
    pub async fn retain(&self, retention: Retention, now: Now) -> Result<bool, HistoryError> {
        let remove = move |hands: &mut Hands<'_>| {
            let transaction = hands.transaction;
            let through = hands.ages.beyond(transaction, retention.max_age, now)?;
            if let Some(by_ms) = hands.ages.set_between_runs() {
                let machine = Machine::Agent;
                let set = Incident::ClockSet(ClockSet { machine, by_ms });
                fact::write(hands, &[Fact::Incident(set)])?;
            }
            let excess = match hands.ages.excess.take() {
                Some(left) => left,
                None => retention::excess(transaction, retention.max_events)?,
            };
            let is_time = retention::time_limit();
            let removed = retention::steps(transaction, excess, through, is_time)?;
            let left = excess.saturating_sub(removed.events as u64);
            hands.ages.excess = removed.more.then_some(left);
            hands.removed |= removed.events > 0;
            Ok(removed.more)
        };
        self.ask(|answer| {
            HistoryCommand::Run(job(ROWS_OF_REMOVAL, Haste::Later, remove, Some(answer)))
        })
        .await
    }

    /// Removes these events on a person's request; returns how many there were.
    pub(crate) async fn delete(&self, positions: Vec<Position>) -> Result<u64, HistoryError> {
        let positions: Vec<i64> = positions.iter().map(|position| position.0).collect();
        self.run(positions.len(), move |hands| {
            hands
                .transaction
                .pragma_update(None, "secure_delete", true)?;
            let events = retention::delete(hands.transaction, &positions)?;
            hands.recount()?;
            Ok(events)
        })
        .await
    }

    /// Removes deleted content from everything on the disk.
    /// Takes as long as rewriting the full-text index.
    pub(crate) async fn scrub(&self) -> Result<(), HistoryError> {
        self.ask(|answer| HistoryCommand::Scrub { answer }).await
    }

    /// Makes the writer check the file and rebuild it if it is damaged.
    pub(super) async fn suspect(&self) -> Result<(), HistoryError> {
        // As if the writer had found the damage itself.
        match self.run(1, |_| Err::<(), _>(mend::damage_error())).await {
            Err(HistoryError::Closed) => Err(HistoryError::Closed),
            _ => Ok(()),
        }
    }

    /// Moves an event that cannot be read into the table `damaged`.
    pub(crate) async fn set_aside(
        &self,
        position: Position,
        reason: String,
    ) -> Result<(), HistoryError> {
        self.run_soon(1, Haste::Now, move |hands| {
            rebuild::set_aside(hands.transaction, position.0, &reason)?;
            hands.recount()
        })
        .await
    }

    /// Returns why the history cannot be written at present; `None` while it can.
    pub(crate) fn storage(&self) -> watch::Receiver<WriteTrouble> {
        self.storage.clone()
    }

    /// Waits while the history cannot be written.
    pub(crate) async fn until_it_works(&self) {
        // If the thread ends, the wait ends too, and the next write returns an error.
        let _ = self.storage.clone().wait_for(Option::is_none).await;
    }

    /// Stores facts, and waits as long as the history cannot be written.
    pub(crate) async fn add_facts_patiently(&self, facts: Vec<Fact>) -> Result<(), HistoryError> {
        loop {
            match self.add_facts(facts.clone()).await {
                Err(error) if error.may_pass() => {
                    self.until_it_works().await;
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// Returns whether another process wrote to the file since the last call; announces it if so.
    pub async fn check_for_changes(&self) -> Result<bool, HistoryError> {
        self.ask(|answer| HistoryCommand::Look { answer }).await
    }

    /// Returns the counts of the history, now and as they change.
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.clone()
    }

    /// Runs `work`, which writes about `rows` rows, inside a transaction of the writer. Returns its
    /// result once the transaction is on stable storage.
    async fn run<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnMut(&mut Hands<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, HistoryError> {
        self.ask(|answer| HistoryCommand::Run(job(rows, Haste::Now, work, Some(answer))))
            .await
    }

    /// Queues `work` without waiting for its result. While the
    /// history cannot be written, the work is kept and done later.
    async fn run_soon(
        &self,
        rows: usize,
        haste: Haste,
        work: impl FnMut(&mut Hands<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), HistoryError> {
        let sent = self
            .commands
            .send(HistoryCommand::Run(job(rows, haste, work, None)));
        sent.await.map_err(|_| HistoryError::Closed)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> HistoryCommand,
    ) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        self.commands
            .send(command(answer))
            .await
            .map_err(|_| HistoryError::Closed)?;
        answered.await.map_err(|_| HistoryError::Closed)?
    }
}

#[cfg(test)]
impl Writer {
    /// Returns a writer whose commands a test receives.
    pub(crate) fn for_test() -> (Self, mpsc::Receiver<HistoryCommand>) {
        let (commands, queue) = mpsc::channel(QUEUED_WRITES);
        let tally = watch::Sender::new(Tally::default()).subscribe();
        let storage = watch::Sender::new(None).subscribe();
        let writer = Self {
            commands,
            tally,
            storage,
            handover: Handover::default(),
        };
        (writer, queue)
    }
}
