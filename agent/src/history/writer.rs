//! The one thread that writes to the history. It commits whatever is waiting in one transaction
//! (group commit), tells everybody concerned only then, and uses its idle moments to index.

use std::path::Path;
use std::thread::JoinHandle;

use podtap_wire::{EventId, Seq, WebhookRequest};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::error::HistoryError;
use super::event::{Attempt, DeliveryState, EditedRequest, Outcome, Position};
use super::note::Note;
use super::{connection, index, retention, store};
use crate::config::Retention;
use crate::handle::Change;

/// Writes that may wait; then whoever wants another waits itself.
const QUEUED_WRITES: usize = 1024;

/// Rows of one transaction: bounds how long the first of them waits for its commit.
const GROUP_ROWS: usize = 4096;

/// Up to so many new events of one transaction are made searchable in it; more than that wait for
/// an idle moment. A person sees no delay, and a burst is not slowed down.
const INDEX_AT_ONCE: usize = 64;

/// A webhook that is to enter the history.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its identity: a second arrival of the same id is the same event.
    pub id: EventId,
    /// Its place in the relay's queue.
    pub seq: Option<Seq>,
    /// The request as it came in.
    pub request: WebhookRequest,
    /// [`DeliveryState::Pending`] where it is to be delivered.
    pub state: DeliveryState,
}

/// An attempt that has ended.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// Where the event is.
    pub position: Position,
    /// Its attempt; the number is given by the history.
    pub event: EventId,
    /// Whether somebody asked for it.
    pub replay: bool,
    /// Whether the event still waits for another attempt.
    pub again: bool,
    /// The URL it went to.
    pub url: String,
    /// What was sent instead of the event itself.
    pub edited: Option<EditedRequest>,
    /// When it began.
    pub started_at: jiff::Timestamp,
    /// From start to end.
    pub duration: std::time::Duration,
    /// What came of it.
    pub outcome: Outcome,
}

impl NewAttempt {
    fn numbered(self, number: u32) -> Attempt {
        let Self {
            event,
            replay,
            url,
            edited,
            started_at,
            duration,
            outcome,
            ..
        } = self;
        Attempt {
            event,
            number,
            replay,
            url,
            edited,
            started_at,
            duration,
            outcome,
        }
    }
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// How many were new.
    pub new: usize,
    /// How many were there already.
    pub known: usize,
}

/// What the history holds, kept up to date by its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The newest event's place.
    pub newest: Position,
    /// Events not yet offered to the local service.
    pub pending: u64,
}

type Answer<T> = oneshot::Sender<Result<T, HistoryError>>;

/// What the thread may be asked for; a test of the link holds the other end and plays the history.
#[derive(Debug)]
pub(crate) enum Command {
    Append {
        events: Vec<NewEvent>,
        answer: Answer<Appended>,
    },
    Record {
        attempt: Box<NewAttempt>,
        answer: Option<Answer<Attempt>>,
    },
    /// Adds notes: all of them or none.
    Note {
        notes: Vec<Note>,
        answer: Option<Answer<()>>,
    },
    /// One small step of retention; answers whether there is more to do.
    Retain {
        retention: Retention,
        now: jiff::Timestamp,
        answer: Answer<bool>,
    },
    /// Looks whether another process wrote; answers whether one did since the last look.
    Look { answer: Answer<bool> },
    /// Ends the thread after everything before it.
    Close,
}

impl Command {
    /// Rows that it writes, about.
    fn rows(&self) -> usize {
        match self {
            Self::Append { events, .. } => events.len(),
            Self::Note { notes, .. } => notes.len(),
            _ => 1,
        }
    }
}

/// The writing side of a history. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer {
    commands: mpsc::Sender<Command>,
    tally: watch::Receiver<Tally>,
}

/// The thread behind a [`Writer`].
#[derive(Debug)]
pub struct WriterThread {
    commands: mpsc::Sender<Command>,
    thread: JoinHandle<()>,
}

impl WriterThread {
    /// Commits what is waiting, and ends. Every commit is on stable storage by itself.
    pub async fn close(self) {
        let _ = self.commands.send(Command::Close).await;
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the thread that writes the history has panicked");
        }
    }
}

impl Writer {
    /// Opens the history at `path` for writing, made where it does not exist, and starts its
    /// thread. Changes are announced on `changes` after their commit.
    pub fn open(
        path: &Path,
        changes: broadcast::Sender<Change>,
    ) -> Result<(Self, WriterThread), HistoryError> {
        let failed = HistoryError::open(path);
        let connection = connection::read_write(path)?;
        let tally = watch::Sender::new(store::tally(&connection).map_err(&failed)?);
        let data_version = store::data_version(&connection).map_err(&failed)?;
        let (commands, queue) = mpsc::channel(QUEUED_WRITES);
        let writer = Self {
            commands: commands.clone(),
            tally: tally.subscribe(),
        };
        let mut state = State {
            connection,
            tally,
            changes,
            data_version,
            behind: true,
        };
        let thread = std::thread::Builder::new()
            .name("podtap-history-writer".to_owned())
            .spawn(move || state.run(queue))
            .map_err(HistoryError::prepare(path))?;
        Ok((writer, WriterThread { commands, thread }))
    }

    /// Stores events in their order; returns once they are on stable storage (invariant 1).
    pub async fn append(&self, events: Vec<NewEvent>) -> Result<Appended, HistoryError> {
        self.ask(|answer| Command::Append { events, answer }).await
    }

    /// Stores an attempt; returns it with its number once it is on stable storage.
    pub async fn record(&self, attempt: NewAttempt) -> Result<Attempt, HistoryError> {
        let attempt = Box::new(attempt);
        self.ask(|answer| Command::Record {
            attempt,
            answer: Some(answer),
        })
        .await
    }

    /// Hands an attempt over to be stored, without waiting for the commit. Attempts are stored in
    /// the order in which they are handed over, so a crash loses the last ones at most, and their
    /// events are delivered again.
    pub async fn record_soon(&self, attempt: NewAttempt) -> Result<(), HistoryError> {
        let command = Command::Record {
            attempt: Box::new(attempt),
            answer: None,
        };
        self.commands
            .send(command)
            .await
            .map_err(|_| HistoryError::Closed)
    }

    /// Writes notes down; returns once they are on stable storage.
    pub(crate) async fn note(&self, notes: Vec<Note>) -> Result<(), HistoryError> {
        self.ask(|answer| Command::Note {
            notes,
            answer: Some(answer),
        })
        .await
    }

    /// Hands notes over to be written down, without waiting for the commit.
    pub(crate) async fn note_soon(&self, notes: Vec<Note>) -> Result<(), HistoryError> {
        let command = Command::Note {
            notes,
            answer: None,
        };
        let sent = self.commands.send(command).await;
        sent.map_err(|_| HistoryError::Closed)
    }

    /// Removes a few of the events that `retention` wants gone; returns whether there are more.
    pub async fn retain(
        &self,
        retention: Retention,
        now: jiff::Timestamp,
    ) -> Result<bool, HistoryError> {
        self.ask(|answer| Command::Retain {
            retention,
            now,
            answer,
        })
        .await
    }

    /// Whether another process wrote to the file since the last look; announces it if so.
    pub async fn look(&self) -> Result<bool, HistoryError> {
        self.ask(|answer| Command::Look { answer }).await
    }

    /// What the history holds, now and as it changes.
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.clone()
    }

    async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        self.commands
            .send(command(answer))
            .await
            .map_err(|_| HistoryError::Closed)?;
        answered.await.map_err(|_| HistoryError::Closed)?
    }
}

/// What the thread owns.
#[derive(Debug)]
struct State {
    connection: Connection,
    tally: watch::Sender<Tally>,
    changes: broadcast::Sender<Change>,
    data_version: i64,
    /// Whether some events may not be searchable yet.
    behind: bool,
}

/// What a command did, to be told after the commit.
enum Done {
    Appended(Appended),
    Recorded(Option<u32>),
    Noted,
    Retained(bool),
    Looked(bool),
}

impl Done {
    fn new_events(&self) -> usize {
        if let Self::Appended(appended) = self {
            appended.new
        } else {
            0
        }
    }
}

impl State {
    fn run(&mut self, mut queue: mpsc::Receiver<Command>) {
        let mut group = Vec::new();
        let mut open = true;
        while open {
            let Some(first) = self.next(&mut queue) else {
                break;
            };
            let mut rows = 0;
            let mut next = Some(first);
            while let Some(command) = next {
                if matches!(command, Command::Close) {
                    open = false;
                    break;
                }
                rows += command.rows();
                group.push(command);
                next = if rows < GROUP_ROWS {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            self.commit(std::mem::take(&mut group));
        }
    }

    /// The next command; while there is none, what is behind gets indexed.
    fn next(&mut self, queue: &mut mpsc::Receiver<Command>) -> Option<Command> {
        while self.behind {
            match queue.try_recv() {
                Ok(command) => return Some(command),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => self.index(),
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
            Err(error) => tracing::warn!(%error, "cannot make new events searchable"),
        }
    }

    fn commit(&mut self, group: Vec<Command>) {
        if group.is_empty() {
            return;
        }
        match self.write(&group) {
            Ok(done) => self.tell(group, done),
            Err(source) => {
                tracing::error!(error = %source, "cannot write to the history");
                refuse(group, &HistoryError::Write(source.into()));
            }
        }
    }

    /// One transaction: all of the group or nothing of it.
    fn write(&mut self, group: &[Command]) -> rusqlite::Result<Vec<Done>> {
        let before = *self.tally.borrow();
        let (mut tally, data_version) = (before, &mut self.data_version);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done: Vec<Done> = group
            .iter()
            .map(|command| apply(&transaction, command, data_version, &mut tally))
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

fn apply(
    transaction: &Transaction<'_>,
    command: &Command,
    data_version: &mut i64,
    tally: &mut Tally,
) -> rusqlite::Result<Done> {
    Ok(match command {
        Command::Append { events, .. } => {
            Done::Appended(store::append(transaction, events, tally)?)
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
