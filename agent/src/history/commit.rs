//! The one thread that writes to the history. It commits whatever is waiting in one transaction
//! (group commit), tells everybody concerned only then, and uses its idle moments to index.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use podtap_wire::EventId;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{broadcast, mpsc, watch};

use super::burst::Bursts;
use super::error::HistoryError;
use super::note::Note;
use super::write::{Appended, Command, Tally};
use super::{index, past, retention, store};
use crate::handle::Change;

/// Rows of one transaction: bounds how long the first of them waits for its commit.
const GROUP_ROWS: usize = 4096;

/// Up to so many new events of one transaction are made searchable in it; more than that wait for
/// an idle moment. A person sees no delay, and a burst is not slowed down.
const INDEX_AT_ONCE: usize = 8;

/// Quiet after which a moment is idle: a link that has its commit sends the next batch sooner.
const QUIET: Duration = Duration::from_millis(3);

/// What the thread owns.
#[derive(Debug)]
pub(super) struct Committer {
    connection: Connection,
    tally: watch::Sender<Tally>,
    changes: broadcast::Sender<Change>,
    data_version: i64,
    bursts: Bursts,
    /// Whether some events may not be searchable yet.
    behind: bool,
}

/// What a command did, to be told after the commit.
enum Done {
    Appended(Appended),
    Imported(Vec<EventId>),
    Recorded(Option<u32>),
    Noted,
    Retained(bool),
    Looked(bool),
}

impl Done {
    fn new_events(&self) -> usize {
        match self {
            Self::Appended(appended) => appended.new,
            Self::Imported(new) => new.len(),
            _ => 0,
        }
    }
}

impl Committer {
    pub(super) fn new(
        connection: Connection,
        changes: broadcast::Sender<Change>,
    ) -> rusqlite::Result<Self> {
        let tally = watch::Sender::new(store::tally(&connection)?);
        let data_version = store::data_version(&connection)?;
        // The last run may have ended in the middle of it.
        let behind = true;
        Ok(Self {
            connection,
            tally,
            changes,
            data_version,
            bursts: Bursts::default(),
            behind,
        })
    }

    pub(super) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// Serves the queue until it is told to close or everybody who could ask is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        while let Some(first) = self.next(&mut queue) {
            let (group, close) = gather(first, &mut queue);
            self.commit(group);
            if close {
                break;
            }
        }
    }

    /// The next command; while there is none, what is behind gets indexed.
    fn next(&mut self, queue: &mut mpsc::Receiver<Command>) -> Option<Command> {
        while self.behind {
            match receive_within(QUIET, queue) {
                Poll::Ready(command) => return command,
                Poll::Pending => self.index(),
            }
        }
        queue.blocking_recv()
    }

    /// One small step; a failure is tried again at the next start and costs nothing but search.
    fn index(&mut self) {
        let step = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let more = index::step(&transaction)?;
                transaction.commit()?;
                Ok(more)
            });
        self.behind = step.as_ref().copied().unwrap_or(false);
        match step {
            Ok(true) => {}
            // A search may find now what it could not find before: worth reading again.
            Ok(false) => self.announce(Change::Appended {
                through: self.tally.borrow().newest,
            }),
            Err(error) => tracing::warn!(
                error = podtap_disk::words(&error),
                "cannot make new events searchable"
            ),
        }
    }

    fn commit(&mut self, group: Vec<Command>) {
        if group.is_empty() {
            return;
        }
        match self.write(&group) {
            Ok(done) => self.tell(group, done),
            Err(source) => {
                tracing::error!(
                    error = podtap_disk::words(&source),
                    "cannot write to the history"
                );
                // What was noticed of a burst is not in the file.
                self.bursts = Bursts::default();
                refuse(group, &HistoryError::write(source));
            }
        }
    }

    /// One transaction: all of the group or nothing of it.
    fn write(&mut self, group: &[Command]) -> rusqlite::Result<Vec<Done>> {
        if group
            .iter()
            .all(|command| matches!(command, Command::Look { .. }))
        {
            return self.look(group);
        }
        let before = *self.tally.borrow();
        let mut tally = before;
        let (data_version, bursts) = (&mut self.data_version, &mut self.bursts);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done: Vec<Done> = group
            .iter()
            .map(|command| apply(&transaction, command, data_version, bursts, &mut tally))
            .collect::<Result<_, _>>()?;
        let new: usize = done.iter().map(Done::new_events).sum();
        let behind = match new {
            0 => self.behind,
            1..=INDEX_AT_ONCE if !self.behind => index::step(&transaction)?,
            _ => true,
        };
        transaction.commit()?;
        self.behind = behind;
        self.tally
            .send_if_modified(|known| std::mem::replace(known, tally) != tally);
        Ok(done)
    }

    /// Looks at what others wrote, without keeping them from writing.
    fn look(&mut self, group: &[Command]) -> rusqlite::Result<Vec<Done>> {
        let found = store::data_version(&self.connection)?;
        let elsewhere = std::mem::replace(&mut self.data_version, found) != found;
        if elsewhere {
            self.tally.send_replace(store::tally(&self.connection)?);
        }
        let looked = |first: usize| Done::Looked(elsewhere && first == 0);
        Ok((0..group.len()).map(looked).collect())
    }

    fn tell(&self, group: Vec<Command>, done: Vec<Done>) {
        if done.iter().any(|done| done.new_events() > 0) {
            self.announce(Change::Appended {
                through: self.tally.borrow().newest,
            });
        }
        for pair in group.into_iter().zip(done) {
            match pair {
                (Command::Append { answer, .. }, Done::Appended(appended)) => {
                    let _ = answer.send(Ok(appended));
                }
                (Command::Import { answer, .. }, Done::Imported(new)) => {
                    let _ = answer.send(Ok(new));
                }
                (Command::Record { attempt, answer }, Done::Recorded(number)) => {
                    self.announce(Change::Touched {
                        position: attempt.position,
                        event: attempt.event,
                    });
                    if let Some(answer) = answer {
                        let numbered = number.map(|number| attempt.numbered(number));
                        let _ = answer.send(numbered.ok_or(HistoryError::Gone));
                    }
                }
                (Command::Note { notes, answer }, Done::Noted) => {
                    let changes = notes.into_iter().filter_map(Note::change);
                    changes.for_each(|change| self.announce(change));
                    if let Some(answer) = answer {
                        let _ = answer.send(Ok(()));
                    }
                }
                (Command::Look { answer }, Done::Looked(elsewhere)) => {
                    if elsewhere {
                        self.announce(Change::Elsewhere);
                    }
                    let _ = answer.send(Ok(elsewhere));
                }
                (Command::Retain { answer, .. }, Done::Retained(more)) => {
                    let _ = answer.send(Ok(more));
                }
                _ => {}
            }
        }
    }

    fn announce(&self, change: Change) {
        // Nobody listening is fine.
        let _ = self.changes.send(change);
    }
}

/// The next command, or `Pending` when none came in about that time.
fn receive_within(quiet: Duration, queue: &mut mpsc::Receiver<Command>) -> Poll<Option<Command>> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let received = queue.poll_recv(&mut context);
    if received.is_pending() {
        thread::park_timeout(quiet);
        return queue.poll_recv(&mut context);
    }
    received
}

/// What is waiting, up to a limit, and whether the queue is to be closed after it.
fn gather(first: Command, queue: &mut mpsc::Receiver<Command>) -> (Vec<Command>, bool) {
    let (mut group, mut rows) = (Vec::new(), 0);
    let mut next = Some(first);
    while let Some(command) = next {
        rows += match &command {
            Command::Close => return (group, true),
            Command::Append { events, .. } => events.len(),
            Command::Import { past, .. } => past.len(),
            Command::Note { notes, .. } => notes.len(),
            _ => 1,
        };
        group.push(command);
        next = if rows < GROUP_ROWS {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    (group, false)
}

fn apply(
    transaction: &Transaction<'_>,
    command: &Command,
    data_version: &mut i64,
    bursts: &mut Bursts,
    tally: &mut Tally,
) -> rusqlite::Result<Done> {
    Ok(match command {
        Command::Append { events, .. } => {
            Done::Appended(store::append(transaction, events, bursts, tally)?)
        }
        Command::Import { past, .. } => {
            Done::Imported(past::import(transaction, past, bursts, tally)?)
        }
        Command::Record { attempt, .. } => {
            Done::Recorded(store::record(transaction, attempt, tally)?)
        }
        Command::Note { notes, .. } => {
            for note in notes {
                note.write(transaction, tally)?;
            }
            Done::Noted
        }
        Command::Retain { retention, now, .. } => {
            Done::Retained(retention::step(transaction, retention, *now)?)
        }
        Command::Look { .. } | Command::Close => {
            let found = store::data_version(transaction)?;
            let elsewhere = std::mem::replace(data_version, found) != found;
            if elsewhere {
                *tally = store::tally(transaction)?;
            }
            Done::Looked(elsewhere)
        }
    })
}

fn refuse(group: Vec<Command>, error: &HistoryError) {
    for command in group {
        match command {
            Command::Append { answer, .. } => drop(answer.send(Err(error.clone()))),
            Command::Import { answer, .. } => drop(answer.send(Err(error.clone()))),
            Command::Record {
                answer: Some(answer),
                ..
            } => drop(answer.send(Err(error.clone()))),
            Command::Note {
                answer: Some(answer),
                ..
            } => drop(answer.send(Err(error.clone()))),
            Command::Retain { answer, .. } | Command::Look { answer } => {
                drop(answer.send(Err(error.clone())));
            }
            Command::Record { answer: None, .. }
            | Command::Note { answer: None, .. }
            | Command::Close => {}
        }
    }
}
