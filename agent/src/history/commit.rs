//! Runs the only thread that writes to the history. It commits all
//! waiting writes in one transaction (group commit), reports their
//! results only after the commit, and indexes events while it is idle.

use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use podtap_disk::bell;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::ages::Ages;
use super::burst::Bursts;
use super::change::HistoryChange;
use super::error::HistoryError;
use super::handover::Handover;
use super::inbox::{AfterGroup, Group, HistoryCommand, gather, receive_within, refuse};
use super::index;
use super::job::{Hands, WriteJob};
use super::later::Later;
use super::mend::{Mend, WriteTrouble};
use super::tally::{self, Tally};
use super::tidy::{self, Tidy};
use super::write::Reply;

/// Delay after which new events become searchable together:
/// the index writes as much for many events as for one.
const INDEX_AFTER: Duration = Duration::from_secs(1);

/// Maximum time for indexing at the end of an agent that delivers: the agent soon runs again.
const INDEX_AT_THE_END: Duration = Duration::from_millis(300);

/// Maximum time for indexing at the end of a command such as an import. Perhaps nothing writes
/// after it, and `podtap events` only reads. It is enough for some hundred thousand events.
const INDEX_AT_THE_END_OF_A_COMMAND: Duration = Duration::from_secs(5);

/// Time without commands after which the thread is idle: a
/// link whose batch was committed sends the next batch sooner.
const QUIET: Duration = Duration::from_millis(3);

/// The process to which the writer belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriterSide {
    /// The agent that holds the history and is notified when other processes write to it.
    Holder,
    /// Another process.
    Beside,
}

/// The state of the thread.
pub(super) struct Committer<A> {
    connection: Connection,
    tally: watch::Sender<Tally>,
    announce: A,
    /// Path of the history, if another process may listen for what this one writes.
    rings_at: Option<PathBuf>,
    data_version: i64,
    bursts: Bursts,
    ages: Ages,
    tidy: Tidy,
    mend: Mend,
    /// The channels to delivery for committed events; empty if nothing is delivered.
    handover: Handover,
    /// Failed writes for which no caller waits. They are written first once writing works again.
    owed: Vec<WriteJob>,
    /// Writes that may wait for others.
    later: Later,
    /// Time since which some events may not be searchable.
    behind: Option<Instant>,
    /// Whether a commit is on stable storage when it returns.
    is_synced: bool,
}

impl<A: Fn(HistoryChange)> Committer<A> {
    pub(super) fn new(
        path: &Path,
        side: WriterSide,
        connection: Connection,
        announce: A,
    ) -> rusqlite::Result<Self> {
        let tally = watch::Sender::new(tally::tally(&connection)?);
        let data_version = tally::data_version(&connection)?;
        Ok(Self {
            connection,
            tally,
            announce,
            rings_at: (side == WriterSide::Beside).then(|| path.to_owned()),
            data_version,
            bursts: Bursts::default(),
            ages: Ages::default(),
            tidy: Tidy::default(),
            mend: Mend::new(path),
            handover: Handover::default(),
            owed: Vec::new(),
            later: Later::default(),
            // The last run may have ended before it indexed all events.
            behind: Some(Instant::now()),
            is_synced: true,
        })
    }

    pub(super) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    pub(super) fn handover(&self) -> Handover {
        self.handover.clone()
    }

    pub(super) fn storage(&self) -> watch::Receiver<WriteTrouble> {
        self.mend.state()
    }

    /// Serves the queue until a command closes it or all senders are gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<HistoryCommand>) {
        while let Some(first) = self.next(&mut queue) {
            let (Group { writes, looks }, after) = gather(first, &mut queue);
            let is_more = matches!(after, AfterGroup::Next);
            if is_more && writes.iter().all(|write| write.may_wait()) {
                self.later.add(writes);
            } else {
                let writes = self.later.before(writes);
                self.commit(writes);
            }
            self.answer_checks(looks);
            match after {
                AfterGroup::Next => {}
                AfterGroup::Scrub(answer) => {
                    let done = tidy::scrub(&self.connection).map_err(HistoryError::write);
                    let _ = answer.send(done);
                }
                AfterGroup::Close => break,
            }
        }
        self.commit_later();
        self.index_at_the_end();
        if self.mend.trouble().is_none() {
            self.tidy.at_the_end(&mut self.connection);
        }
    }

    /// Returns the next command. While there is none, the thread repairs
    /// what is broken, writes what could wait, indexes events that are
    /// not searchable yet, and after a longer quiet time tidies the file.
    fn next(&mut self, queue: &mut mpsc::Receiver<HistoryCommand>) -> Option<HistoryCommand> {
        loop {
            let Some(wait) = self.wait() else {
                return queue.blocking_recv();
            };
            if let Poll::Ready(command) = receive_within(wait, queue) {
                return command;
            }
            self.idle();
        }
    }

    /// Returns the time until there is work without a command.
    fn wait(&self) -> Option<Duration> {
        if let Some(wait) = self.mend.wait() {
            return Some(wait);
        }
        let index = self.index_in().map(|wait| wait.max(QUIET));
        let waits = [self.later.wait(), index, self.tidy.wait()];
        waits.into_iter().flatten().min()
    }

    fn index_in(&self) -> Option<Duration> {
        let behind = self.behind?.elapsed();
        Some(INDEX_AFTER.saturating_sub(behind))
    }

    fn idle(&mut self) {
        let is_due = |wait: Option<Duration>| wait == Some(Duration::ZERO);
        if self.mend.wait().is_some() {
            if is_due(self.mend.wait()) {
                self.retry();
            }
        } else if is_due(self.later.wait()) {
            self.commit_later();
        } else if is_due(self.index_in()) {
            self.index();
        } else if is_due(self.tidy.wait()) {
            self.tidy.step(&mut self.connection);
        }
    }

    fn commit_later(&mut self) {
        let writes = self.later.before(Vec::new());
        self.commit(writes);
    }

    /// Tries to write again, and then writes what failed before.
    fn retry(&mut self) {
        if !self.mend.retry(&mut self.connection) {
            return;
        }
        self.is_synced = true;
        self.data_version = tally::data_version(&self.connection).unwrap_or(self.data_version);
        if let Ok(tally) = tally::tally(&self.connection) {
            self.tally.send_replace(tally);
        }
        self.behind.get_or_insert_with(Instant::now);
        (self.announce)(HistoryChange::Elsewhere);
        let owed = std::mem::take(&mut self.owed);
        self.commit(owed);
    }

    /// Indexes a few events. A failure is tried again at the
    /// next start; until then, only search misses the events.
    fn index(&mut self) {
        let step = self.index_step();
        if !matches!(step, Ok(true)) {
            self.behind = None;
        }
        match step {
            Ok(true) => {}
            // A search may now find events that it did not
            // find before, so lists should be read again.
            Ok(false) => self.announce_events(),
            Err(error) => tracing::warn!(
                error = podtap_disk::words(&error),
                "cannot make new events searchable"
            ),
        }
    }

    /// Commits without a sync: the index stores its cursor in the same transaction.
    fn index_step(&mut self) -> rusqlite::Result<bool> {
        self.sync_commits(false)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let more = index::step(&transaction)?;
        transaction.commit()?;
        Ok(more)
    }

    /// Indexes what it can within a time limit: the next reader may come before the next writer.
    fn index_at_the_end(&mut self) {
        let begun = Instant::now();
        let limit = if self.handover.leads_anywhere() {
            INDEX_AT_THE_END
        } else {
            INDEX_AT_THE_END_OF_A_COMMAND
        };
        while self.mend.trouble().is_none() && self.behind.is_some() && begun.elapsed() < limit {
            self.index();
        }
    }

    /// Sets whether the next commits are on stable storage when they return. A synced commit also
    /// syncs the earlier unsynced ones, because they are in the same log.
    fn sync_commits(&mut self, sync: bool) -> rusqlite::Result<()> {
        if self.is_synced != sync {
            let level = if sync { "full" } else { "normal" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.is_synced = sync;
        }
        Ok(())
    }

    fn commit(&mut self, mut writes: Vec<WriteJob>) {
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
                    write.resolve();
                }
            }
            Err(source) => {
                tracing::error!(
                    error = podtap_disk::words(&source),
                    "cannot write to the history"
                );
                // The burst noticed so far is not in the file.
                self.bursts = Bursts::default();
                let mut owed = Vec::new();
                let may_pass = self.mend.note_failure(&source);
                refuse(writes, &HistoryError::write(source), &mut owed);
                // A mistake in one write must not block all other writes for ever.
                if may_pass {
                    self.owed.append(&mut owed);
                }
            }
        }
    }

    /// Writes all jobs in one transaction, all or nothing. Announces the changes after the commit.
    fn write(&mut self, writes: &mut [WriteJob]) -> rusqlite::Result<()> {
        self.sync_commits(!writes.iter().all(|write| write.may_wait()))?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tally = *self.tally.borrow();
        let delivers = self.handover.leads_anywhere();
        let (bursts, ages) = (&mut self.bursts, &mut self.ages);
        let mut hands = Hands::new(&transaction, bursts, ages, tally, delivers);
        for write in writes {
            write.write(&mut hands)?;
        }
        let Hands {
            tally,
            changes,
            new,
            removed,
            committed,
            ..
        } = hands;
        transaction.commit()?;
        if let Some(path) = &self.rings_at {
            bell::ring(path);
        }
        if new > 0 {
            self.behind.get_or_insert_with(Instant::now);
        }
        self.mend.wrote();
        self.tidy.wrote();
        if removed {
            self.tidy.note_removal();
        }
        // Before the tally: once the tally shows an event, the event has been sent to delivery.
        if let Some(committed) = committed.filter(|_| new > 0) {
            self.handover.send_committed(committed);
        }
        self.tally
            .send_if_modified(|known| std::mem::replace(known, tally) != tally);
        if new > 0 {
            self.announce_events();
        }
        changes.into_iter().for_each(&self.announce);
        Ok(())
    }

    /// Answers those who ask whether another process wrote, without blocking that process.
    fn answer_checks(&mut self, looks: Vec<Reply<bool>>) {
        if looks.is_empty() {
            return;
        }
        let looked = match self.mend.trouble() {
            Some(cause) => Err(HistoryError::Write(cause)),
            None => self.has_another_written().map_err(|source| {
                self.mend.note_failure(&source);
                HistoryError::write(source)
            }),
        };
        let mut found = looked.as_ref().is_ok_and(|found| *found);
        if found {
            (self.announce)(HistoryChange::Elsewhere);
        }
        for answer in looks {
            // The first caller gets `true`; for the others nothing is new.
            let told = looked.clone().map(|_| std::mem::take(&mut found));
            let _ = answer.send(told);
        }
    }

    fn has_another_written(&mut self) -> rusqlite::Result<bool> {
        let found = tally::data_version(&self.connection)?;
        let elsewhere = std::mem::replace(&mut self.data_version, found) != found;
        if elsewhere {
            self.tally.send_replace(tally::tally(&self.connection)?);
        }
        Ok(elsewhere)
    }

    fn announce_events(&self) {
        (self.announce)(HistoryChange::Appended {
            through: self.tally.borrow().newest,
        });
    }
}
