//! The one thread that writes to the history. It commits whatever is waiting in one transaction
//! (group commit), tells everybody concerned only then, and uses its idle moments to index.

use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, watch};

use super::ages::Ages;
use super::burst::Bursts;
use super::change::Change;
use super::error::HistoryError;
use super::inbox::{After, Group, gather, receive_within, refuse};
use super::job::{Hands, Job};
use super::mend::{Mend, Storage};
use super::tidy::{self, Tidy};
use super::write::{Answer, Command, Tally};
use super::{index, store};

/// Up to so many new events of one transaction are made searchable in it; more than that wait for
/// an idle moment. A person sees no delay, and a burst is not slowed down.
const INDEX_AT_ONCE: usize = 8;

/// Quiet after which a moment is idle: a link that has its commit sends the next batch sooner.
const QUIET: Duration = Duration::from_millis(3);

/// What the thread owns.
pub(super) struct Committer<A> {
    connection: Connection,
    tally: watch::Sender<Tally>,
    announce: A,
    data_version: i64,
    bursts: Bursts,
    ages: Ages,
    tidy: Tidy,
    mend: Mend,
    /// Writes nobody waits for that failed: the first to be done once writing works again.
    owed: Vec<Job>,
    /// Whether some events may not be searchable yet.
    behind: bool,
}

impl<A: Fn(Change)> Committer<A> {
    pub(super) fn new(path: &Path, connection: Connection, announce: A) -> rusqlite::Result<Self> {
        let tally = watch::Sender::new(store::tally(&connection)?);
        let data_version = store::data_version(&connection)?;
        // The last run may have ended in the middle of it.
        let behind = true;
        Ok(Self {
            connection,
            tally,
            announce,
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
            let (Group { writes, looks }, after) = gather(first, &mut queue);
            self.commit(writes);
            self.look(looks);
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
        (self.announce)(Change::Elsewhere);
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
            Ok(false) => self.announce_events(),
            Err(error) => tracing::warn!(
                error = podtap_disk::words(&error),
                "cannot make new events searchable"
            ),
        }
    }

    fn commit(&mut self, mut writes: Vec<Job>) {
        if writes.is_empty() {
            return;
        }
        if self.mend.wait() == Some(Duration::ZERO) {
            self.retry();
        }
        if let Some(cause) = self.mend.trouble() {
            refuse(writes, &HistoryError::Write(cause), &mut self.owed);
            return;
        }
        match self.write(&mut writes) {
            Ok(()) => {
                for write in writes {
                    write.committed();
                }
            }
            Err(source) => {
                tracing::error!(
                    error = podtap_disk::words(&source),
                    "cannot write to the history"
                );
                // What was noticed of a burst is not in the file.
                self.bursts = Bursts::default();
                let mut owed = Vec::new();
                let may_pass = self.mend.failed(&source);
                refuse(writes, &HistoryError::write(source), &mut owed);
                // A mistake in one write must not stand in the way of all others for ever.
                if may_pass {
                    self.owed.append(&mut owed);
                }
            }
        }
    }

    /// One transaction: all of it or nothing. What it changed is announced after its commit.
    fn write(&mut self, writes: &mut [Job]) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tally = *self.tally.borrow();
        let mut hands = Hands::new(&transaction, &mut self.bursts, &mut self.ages, tally);
        for write in writes {
            write.write(&mut hands)?;
        }
        let Hands {
            tally,
            changes,
            new,
            removed,
            ..
        } = hands;
        let behind = match new {
            0 => self.behind,
            1..=INDEX_AT_ONCE if !self.behind => index::step(&transaction)?,
            _ => true,
        };
        transaction.commit()?;
        self.behind = behind;
        self.mend.wrote();
        self.tidy.wrote();
        if removed {
            self.tidy.removed();
        }
        self.tally
            .send_if_modified(|known| std::mem::replace(known, tally) != tally);
        if new > 0 {
            self.announce_events();
        }
        changes.into_iter().for_each(&self.announce);
        Ok(())
    }

    /// Answers those who want to know whether another process wrote, without keeping it from
    /// writing.
    fn look(&mut self, looks: Vec<Answer<bool>>) {
        if looks.is_empty() {
            return;
        }
        let looked = match self.mend.trouble() {
            Some(cause) => Err(HistoryError::Write(cause)),
            None => self.has_another_written().map_err(|source| {
                self.mend.failed(&source);
                HistoryError::write(source)
            }),
        };
        let mut found = looked.as_ref().is_ok_and(|found| *found);
        if found {
            (self.announce)(Change::Elsewhere);
        }
        for answer in looks {
            // The first one is told, for the others there is nothing new.
            let told = looked.clone().map(|_| std::mem::take(&mut found));
            let _ = answer.send(told);
        }
    }

    fn has_another_written(&mut self) -> rusqlite::Result<bool> {
        let found = store::data_version(&self.connection)?;
        let elsewhere = std::mem::replace(&mut self.data_version, found) != found;
        if elsewhere {
            self.tally.send_replace(store::tally(&self.connection)?);
        }
        Ok(elsewhere)
    }

    fn announce_events(&self) {
        (self.announce)(Change::Appended {
            through: self.tally.borrow().newest,
        });
    }
}
