//! The one thread that writes to the history. It commits whatever is waiting in one transaction
//! (group commit), tells everybody concerned only then, and uses its idle moments to index.

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
use super::inbox::{After, Group, HistoryCommand, gather, receive_within, refuse};
use super::index;
use super::job::{Hands, WriteJob};
use super::later::Later;
use super::mend::{Mend, WriteTrouble};
use super::tally::{self, Tally};
use super::tidy::{self, Tidy};
use super::write::Reply;

/// New events become searchable together after this time: the index writes as much for many as for
/// one.
const INDEX_AFTER: Duration = Duration::from_secs(1);

/// The longest time for it at the end of an agent that delivers: it soon runs again.
const INDEX_AT_THE_END: Duration = Duration::from_millis(300);

/// The same at the end of a command such as an import: after it nobody may write, and `podtap events`
/// only reads. Some hundred thousand events.
const INDEX_AT_THE_END_OF_A_COMMAND: Duration = Duration::from_secs(5);

/// Quiet after which a moment is idle: a link that has its commit sends the next batch sooner.
const QUIET: Duration = Duration::from_millis(3);

/// Whose writer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The agent's that has the history, and hears when others write to it.
    Holder,
    /// Another one's.
    Beside,
}

/// What the thread owns.
pub(super) struct Committer<A> {
    connection: Connection,
    tally: watch::Sender<Tally>,
    announce: A,
    /// The history, where another process may listen for what this one writes.
    rings_at: Option<PathBuf>,
    data_version: i64,
    bursts: Bursts,
    ages: Ages,
    tidy: Tidy,
    mend: Mend,
    /// Where what is committed goes; empty where nothing is delivered.
    handover: Handover,
    /// Writes nobody waits for that failed: the first to be done once writing works again.
    owed: Vec<WriteJob>,
    /// Writes that wait for others.
    later: Later,
    /// Since when some events may not be searchable yet.
    behind: Option<Instant>,
    /// Whether a commit is on stable storage when it returns.
    is_synced: bool,
}

impl<A: Fn(HistoryChange)> Committer<A> {
    pub(super) fn new(
        path: &Path,
        side: Side,
        connection: Connection,
        announce: A,
    ) -> rusqlite::Result<Self> {
        let tally = watch::Sender::new(tally::tally(&connection)?);
        let data_version = tally::data_version(&connection)?;
        Ok(Self {
            connection,
            tally,
            announce,
            rings_at: (side == Side::Beside).then(|| path.to_owned()),
            data_version,
            bursts: Bursts::default(),
            ages: Ages::default(),
            tidy: Tidy::default(),
            mend: Mend::new(path),
            handover: Handover::default(),
            owed: Vec::new(),
            later: Later::default(),
            // The last run may have ended in the middle of it.
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

    /// Serves the queue until it is told to close or everybody who could ask is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<HistoryCommand>) {
        while let Some(first) = self.next(&mut queue) {
            let (Group { writes, looks }, after) = gather(first, &mut queue);
            let is_more = matches!(after, After::Next);
            if is_more && writes.iter().all(|write| write.may_wait()) {
                self.later.add(writes);
            } else {
                let writes = self.later.before(writes);
                self.commit(writes);
            }
            self.answer_checks(looks);
            match after {
                After::Next => {}
                After::Scrub(answer) => {
                    let done = tidy::scrub(&self.connection).map_err(HistoryError::write);
                    let _ = answer.send(done);
                }
                After::Close => break,
            }
        }
        self.commit_later();
        self.index_at_the_end();
        if self.mend.trouble().is_none() {
            self.tidy.at_the_end(&mut self.connection);
        }
    }

    /// The next command; while there is none, what is broken is mended, what could wait is written,
    /// what is behind gets indexed, and in a longer quiet the file is tidied.
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

    /// Time until there is something to do without a command.
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

    /// Tries to write again, and pays what is owed.
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

    /// One small step; a failure is tried again at the next start and costs nothing but search.
    fn index(&mut self) {
        let step = self.index_step();
        if !matches!(step, Ok(true)) {
            self.behind = None;
        }
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

    /// Without a sync of its own: the index follows with a cursor inside the same transaction.
    fn index_step(&mut self) -> rusqlite::Result<bool> {
        self.sync_commits(false)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let more = index::step(&transaction)?;
        transaction.commit()?;
        Ok(more)
    }

    /// What can be done in time: the next reader may come before the next writer.
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

    /// Whether the next commits are on stable storage when they return. Later commits that are
    /// bring those that were not along: they are in the same log.
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
                // What was noticed of a burst is not in the file.
                self.bursts = Bursts::default();
                let mut owed = Vec::new();
                let may_pass = self.mend.note_failure(&source);
                refuse(writes, &HistoryError::write(source), &mut owed);
                // A mistake in one write must not stand in the way of all others for ever.
                if may_pass {
                    self.owed.append(&mut owed);
                }
            }
        }
    }

    /// One transaction: all of it or nothing. What it changed is announced after its commit.
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
        // Before the tally: who sees that reaches an event has been sent it.
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

    /// Answers those who want to know whether another process wrote, without keeping it from
    /// writing.
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
            // The first one is told, for the others there is nothing new.
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
