//! Defines the writes that the writer is asked for: a function that runs inside the writer's
//! transaction, and the channel on which the caller waits for its result. A new kind of write needs
//! one method of [`Writer`] and nothing here.
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

/// What a write works with inside the writer's transaction.
pub(crate) struct Hands<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) bursts: &'a mut Bursts,
    pub(super) ages: &'a mut Ages,
    pub(super) tally: Tally,
    /// Changes to announce after the commit, in order.
    pub(super) changes: Vec<HistoryChange>,
    /// Number of added events.
    pub(super) new: usize,
    /// Whether events were removed.
    pub(super) removed: bool,
    /// Events to hand to delivery after the commit; `None` if nothing is delivered.
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

    /// Notes that an event was added at this position.
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

    /// Counts the events again after some were removed.
    pub(super) fn recount(&mut self) -> rusqlite::Result<()> {
        self.removed = true;
        self.tally = tally::tally(self.transaction)?;
        self.changes.push(HistoryChange::Elsewhere);
        Ok(())
    }
}

/// A write that waits for its transaction.
pub(crate) type WriteJob = Box<dyn Write>;

/// A write that is done completely or not at all.
pub(crate) trait Write: Send {
    /// Returns about how many rows it writes; bounds the size of a transaction.
    fn rows(&self) -> usize;

    /// Returns whether the write may wait and be lost in
    /// a power cut, because its content is found again.
    fn may_wait(&self) -> bool;

    /// Writes. Called again if the transaction failed.
    fn write(&mut self, hands: &mut Hands<'_>) -> rusqlite::Result<()>;

    /// Answers the waiting caller. Its transaction is committed,
    /// and on stable storage unless the write may wait.
    fn resolve(self: Box<Self>);

    /// Answers the waiting caller that nothing was written. Returns a write for which no caller
    /// waits, to be written once writing works again.
    fn reject(self: Box<Self>, error: &HistoryError) -> Option<WriteJob>;
}

impl fmt::Debug for dyn Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("rows", &self.rows()).finish()
    }
}

/// How soon a write must be on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Haste {
    /// With the next transaction.
    Now,
    /// With a later transaction for which a caller waits, if there is one soon. If the process is
    /// killed or the power is cut, the last of these writes are lost, so this is only for content
    /// that is then found again (invariant 1).
    Later,
}

/// Returns a write whose result is sent to `answer`; if that is `None`, no caller waits.
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
    /// The result of the last call of `work`.
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
            // The caller may be gone; the write is done all the same.
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

    /// Returns the changes that a write to an empty history announces.
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
