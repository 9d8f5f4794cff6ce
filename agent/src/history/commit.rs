//! The one thread that writes to the history. It commits whatever is waiting in one transaction
//! (group commit), tells everybody concerned only then, and uses its idle moments to index.

use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use podtap_wire::EventId;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{broadcast, mpsc, watch};

use super::ages::Ages;
use super::burst::Bursts;
use super::error::HistoryError;
use super::inbox::{After, gather, receive_within, refuse};
use super::mend::{self, Mend, Storage};
use super::note::Note;
use super::tidy::{self, Tidy};
use super::write::{Appended, Command, Tally};
use super::{index, past, rebuild, retention, store};
use crate::handle::Change;

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
    ages: Ages,
    tidy: Tidy,
    mend: Mend,
    /// Writes nobody waits for that failed: the first to be done once writing works again.
    owed: Vec<Command>,
    /// Whether some events may not be searchable yet.
    behind: bool,
}

/// What a command did, to be told after the commit.
enum Done {
    Appended(Appended),
    Imported(Vec<EventId>),
    Recorded(Option<u32>),
    Noted,
    Retained(retention::Removed),
    Deleted(u64),
    SetAside,
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

    fn removed_any(&self) -> bool {
        match self {
            Self::Retained(removed) => removed.events > 0,
            Self::Deleted(events) => *events > 0,
            Self::SetAside => true,
            _ => false,
        }
    }
}

impl Committer {
    pub(super) fn new(
        path: &Path,
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
            ages: Ages::default(),
            tidy: Tidy::default(),
            mend: Mend::new(path),
            owed: Vec::new(),
            behind,
        })
    }

    pub(super) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    pub(super) fn storage(&self) -> watch::Receiver<Storage> {
        self.mend.state()
    }

    /// Serves the queue until it is told to close or everybody who could ask is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        while let Some(first) = self.next(&mut queue) {
            let (group, after) = gather(first, &mut queue);
            self.commit(group);
            match after {
                After::Next => {}
                After::Scrub(answer) => {
                    let done = tidy::scrub(&self.connection).map_err(HistoryError::write);
                    let _ = answer.send(done);
                }
                After::Close => break,
            }
        }
        if self.mend.trouble().is_none() {
            self.tidy.at_the_end(&mut self.connection);
        }
    }

    /// The next command; while there is none, what is broken is mended, what is behind gets
    /// indexed, and in a longer quiet the file is tidied.
    fn next(&mut self, queue: &mut mpsc::Receiver<Command>) -> Option<Command> {
        loop {
            let wait = if let Some(wait) = self.mend.wait() {
                wait
            } else if self.behind {
                QUIET
            } else if let Some(wait) = self.tidy.wait() {
                wait
            } else {
                return queue.blocking_recv();
            };
            if let Poll::Ready(command) = receive_within(wait, queue) {
                return command;
            }
            self.idle();
        }
    }

    fn idle(&mut self) {
        match self.mend.wait() {
            Some(Duration::ZERO) => self.retry(),
            None if self.behind => self.index(),
            None if self.tidy.wait() == Some(Duration::ZERO) => {
                self.tidy.step(&mut self.connection);
            }
            Some(_) | None => {}
        }
    }

    /// Tries to write again, and pays what is owed.
    fn retry(&mut self) {
        if !self.mend.retry(&mut self.connection) {
            return;
        }
        self.data_version = store::data_version(&self.connection).unwrap_or(self.data_version);
        if let Ok(tally) = store::tally(&self.connection) {
            self.tally.send_replace(tally);
        }
        self.behind = true;
        self.announce(Change::Elsewhere);
        let owed = std::mem::take(&mut self.owed);
        self.commit(owed);
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
        if self.mend.wait() == Some(Duration::ZERO) {
            self.retry();
        }
        if let Some(cause) = self.mend.trouble() {
            refuse(group, &HistoryError::Write(cause), &mut self.owed);
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
                let mut owed = Vec::new();
                let may_pass = self.mend.failed(&source);
                refuse(group, &HistoryError::write(source), &mut owed);
                // A mistake in one write must not stand in the way of all others for ever.
                if may_pass {
                    self.owed.append(&mut owed);
                }
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
        let deletes = |command: &Command| matches!(command, Command::Delete { .. });
        if group.iter().any(deletes) {
            self.connection.pragma_update(None, "secure_delete", true)?;
        }
        let mut hands = Hands {
            data_version: &mut self.data_version,
            bursts: &mut self.bursts,
            ages: &mut self.ages,
        };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done: Vec<Done> = group
            .iter()
            .map(|command| apply(&transaction, command, &mut hands, &mut tally))
            .collect::<Result<_, _>>()?;
        let new: usize = done.iter().map(Done::new_events).sum();
        let behind = match new {
            0 => self.behind,
            1..=INDEX_AT_ONCE if !self.behind => index::step(&transaction)?,
            _ => true,
        };
        transaction.commit()?;
        self.behind = behind;
        self.mend.wrote();
        self.tidy.wrote();
        if done.iter().any(Done::removed_any) {
            self.tidy.removed();
        }
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
                (Command::Retain { answer, .. }, Done::Retained(removed)) => {
                    let _ = answer.send(Ok(removed.more));
                }
                (Command::Delete { answer, .. }, Done::Deleted(events)) => {
                    self.announce(Change::Elsewhere);
                    let _ = answer.send(Ok(events));
                }
                (Command::SetAside { .. }, Done::SetAside) => self.announce(Change::Elsewhere),
                _ => {}
            }
        }
    }

    fn announce(&self, change: Change) {
        // Nobody listening is fine.
        let _ = self.changes.send(change);
    }
}

/// What the writer keeps from one transaction to the next.
struct Hands<'a> {
    data_version: &'a mut i64,
    bursts: &'a mut Bursts,
    ages: &'a mut Ages,
}

fn apply(
    transaction: &Transaction<'_>,
    command: &Command,
    hands: &mut Hands<'_>,
    tally: &mut Tally,
) -> rusqlite::Result<Done> {
    let bursts = &mut *hands.bursts;
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
            let through = hands.ages.beyond(transaction, retention.max_age, *now)?;
            let max_events = retention.max_events;
            Done::Retained(retention::step(transaction, max_events, through)?)
        }
        Command::Delete { positions, .. } => {
            let positions: Vec<i64> = positions.iter().map(|position| position.0).collect();
            let events = retention::delete(transaction, &positions)?;
            *tally = store::tally(transaction)?;
            Done::Deleted(events)
        }
        // As if the writer had met the damage itself.
        Command::Suspect => return Err(mend::damaged()),
        Command::SetAside { position, reason } => {
            rebuild::set_aside(transaction, position.0, reason)?;
            *tally = store::tally(transaction)?;
            Done::SetAside
        }
        Command::Look { .. } | Command::Scrub { .. } | Command::Close => {
            let found = store::data_version(transaction)?;
            let elsewhere = std::mem::replace(hands.data_version, found) != found;
            if elsewhere {
                *tally = store::tally(transaction)?;
            }
            Done::Looked(elsewhere)
        }
    })
}
