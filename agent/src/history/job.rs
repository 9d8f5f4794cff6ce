//! What the writer is asked to write: a function that runs inside its transaction, together with
//! whoever waits for what it returns. A new kind of write is one method of [`Writer`] and nothing
//! here.
//!
//! [`Writer`]: super::Writer

use std::fmt;

use rusqlite::Transaction;

use super::ages::Ages;
use super::burst::Bursts;
use super::change::HistoryChange;
use super::error::HistoryError;
use super::event::DeliveryState;
use super::handover::{self, CommittedEvents, StoredEvent};
use super::position::Position;
use super::tally::{self, Tally};
use super::write::{NewEvent, Reply};

/// What a write works with, inside the writer's transaction.
pub(crate) struct Hands<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) bursts: &'a mut Bursts,
    pub(super) ages: &'a mut Ages,
    pub(super) tally: Tally,
    /// Announced after the commit, in order.
    pub(super) changes: Vec<HistoryChange>,
    /// Events that were added.
    pub(super) new: usize,
    /// Whether events were removed.
    pub(super) removed: bool,
    /// What goes to delivery after the commit; `None` where nothing is delivered.
    pub(super) committed: Option<CommittedEvents>,
}

impl<'a> Hands<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        bursts: &'a mut Bursts,
        ages: &'a mut Ages,
        tally: Tally,
        delivers: bool,
    ) -> Self {
        Self {
            transaction,
            bursts,
            ages,
            tally,
            changes: Vec::new(),
            new: 0,
            removed: false,
            committed: delivers.then(CommittedEvents::default),
        }
    }

    /// An event was added at this place.
    pub(super) fn announce_event(
        &mut self,
        position: Position,
        event: &NewEvent,
        is_offered: bool,
    ) {
        let is_pending = event.state == DeliveryState::Pending;
        self.new += 1;
        self.tally.newest = position;
        self.tally.pending += u64::from(is_pending);
        if let Some(committed) = &mut self.committed {
            committed.through = position;
            if is_pending {
                committed.events.push(if is_offered {
                    StoredEvent::Offered(event.id, position)
                } else {
                    StoredEvent::New(Box::new(handover::whole(event, position)))
                });
            }
        }
    }

    /// Events are gone, wherever they were.
    pub(super) fn recount(&mut self) -> rusqlite::Result<()> {
        self.removed = true;
        self.tally = tally::tally(self.transaction)?;
        self.changes.push(HistoryChange::Elsewhere);
        Ok(())
    }
}

/// A write that waits for its transaction.
pub(crate) type WriteJob = Box<dyn Write>;

/// Something to be written, all of it or nothing.
pub(crate) trait Write: Send {
    /// How many rows it writes, about: bounds a transaction.
    fn rows(&self) -> usize;

    /// Whether it may wait, and a power cut may take it: what it says is found out again.
    fn may_wait(&self) -> bool;

    /// Does it. Called again where its transaction failed.
    fn write(&mut self, hands: &mut Hands<'_>) -> rusqlite::Result<()>;

    /// Its transaction is committed, and on stable storage unless it may wait: whoever waits is
    /// answered.
    fn resolve(self: Box<Self>);

    /// Nothing of it was written: whoever waits is told. What nobody waits for comes back, to be
    /// written once that works again.
    fn reject(self: Box<Self>, error: &HistoryError) -> Option<WriteJob>;
}

impl fmt::Debug for dyn Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("rows", &self.rows()).finish()
    }
}

/// How soon a write has to be on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Haste {
    /// With the next transaction.
    Now,
    /// With one that others wait for, if there is one soon. A killed process loses what it wrote
    /// last, and so does a power cut: only for what is found out again then (invariant 1).
    Later,
}

/// A write for whoever waits for `answer`; of `None` nobody does.
pub(super) fn job<T: Send + 'static>(
    rows: usize,
    haste: Haste,
    work: impl FnMut(&mut Hands<'_>) -> rusqlite::Result<T> + Send + 'static,
    answer: Option<Reply<T>>,
) -> WriteJob {
    Box::new(AnsweredWrite {
        rows,
        haste,
        work,
        answer,
        done: None,
    })
}

struct AnsweredWrite<T, W> {
    rows: usize,
    haste: Haste,
    work: W,
    answer: Option<Reply<T>>,
    /// What the last call of `work` returned.
    done: Option<T>,
}

impl<T, W> Write for AnsweredWrite<T, W>
where
    T: Send + 'static,
    W: FnMut(&mut Hands<'_>) -> rusqlite::Result<T> + Send + 'static,
{
    fn rows(&self) -> usize {
        self.rows
    }

    fn may_wait(&self) -> bool {
        self.haste == Haste::Later
    }

    fn write(&mut self, hands: &mut Hands<'_>) -> rusqlite::Result<()> {
        self.done = Some((self.work)(hands)?);
        Ok(())
    }

    fn resolve(self: Box<Self>) {
        if let (Some(answer), Some(done)) = (self.answer, self.done) {
            // Whoever asked may have gone away; it is written all the same.
            let _ = answer.send(Ok(done));
        }
    }

    fn reject(self: Box<Self>, error: &HistoryError) -> Option<WriteJob> {
        match self.answer {
            Some(answer) => {
                let _ = answer.send(Err(error.clone()));
                None
            }
            None => Some(self),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::history::schema;

    /// What a write to an empty history announces.
    pub(crate) fn announced_by(mut job: WriteJob) -> Vec<HistoryChange> {
        let mut connection = Connection::open_in_memory().unwrap();
        for migration in schema::MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        let transaction = connection.transaction().unwrap();
        let (mut bursts, mut ages) = (Bursts::default(), Ages::default());
        let tally = Tally::default();
        let mut hands = Hands::new(&transaction, &mut bursts, &mut ages, tally, false);
        job.write(&mut hands).unwrap();
        hands.changes
    }

    #[test]
    fn a_refused_write_comes_back_only_where_nobody_waits_for_it() {
        let (answer, mut answered) = tokio::sync::oneshot::channel();
        let awaited = job(1, Haste::Now, |_| Ok(7), Some(answer));
        assert!(awaited.reject(&HistoryError::Gone).is_none());
        assert!(matches!(answered.try_recv(), Ok(Err(HistoryError::Gone))));

        let left = job(1, Haste::Now, |_| Ok(7), None).reject(&HistoryError::Gone);
        assert!(left.is_some());
    }
}
