//! What the writer does in idle moments: what was removed leaves the file too, the file gives its
//! free space back, and the write-ahead log is emptied.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::time::Instant;

use podtap_disk::sqlite;

/// Quiet after which a moment is idle.
const IDLE: Duration = Duration::from_mins(1);

/// Free pages given back in one step: a few milliseconds.
const PAGES_A_STEP: u32 = 256;

/// Pages of the index of words that are merged in one step.
const MERGED_A_STEP: i64 = 64;

/// The index of words is rewritten to lose what was removed at most this often, since retention
/// removes something each minute; it is the largest part of a history of small events.
const MERGE_EVERY: Duration = Duration::from_hours(6);

/// The longest time for it at the end.
const AT_THE_END: Duration = Duration::from_millis(300);

/// What there is to tidy.
#[derive(Debug, Default)]
pub(super) struct Tidy {
    /// When something was last written that is not tidied up after.
    wrote: Option<Instant>,
    /// Whether the index still holds words of events that are gone.
    removed: bool,
    /// A merge of the index was begun and is not finished.
    merging: bool,
    merged: Option<Instant>,
}

impl Tidy {
    pub(super) fn wrote(&mut self) {
        self.wrote = Some(Instant::now());
    }

    pub(super) fn note_removal(&mut self) {
        self.removed = true;
    }

    /// Time until there is something to do; `None` where there is nothing.
    pub(super) fn wait(&self) -> Option<Duration> {
        let due = self.wrote? + IDLE;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// One small step. A failure is tried again after the next write.
    pub(super) fn step(&mut self, connection: &mut Connection) {
        match self.try_step(connection) {
            Ok(true) => {}
            Ok(false) => self.wrote = None,
            Err(error) => {
                tracing::debug!(
                    error = podtap_disk::words(&error),
                    "cannot tidy the history"
                );
                self.wrote = None;
            }
        }
    }

    /// Empties the log, and does what can be done quickly beside it.
    pub(super) fn at_the_end(&mut self, connection: &mut Connection) {
        let begun = Instant::now();
        while self.wrote.is_some() && begun.elapsed() < AT_THE_END {
            self.step(connection);
        }
        if let Err(error) = sqlite::truncate_log(connection) {
            tracing::debug!(error = podtap_disk::words(&error), "cannot empty the log");
        }
    }

    /// Whether there is more to do.
    fn try_step(&mut self, connection: &mut Connection) -> rusqlite::Result<bool> {
        let is_due = self.merged.is_none_or(|at| at.elapsed() >= MERGE_EVERY);
        if self.removed && (self.merging || is_due) {
            if merge(connection, !self.merging)? {
                self.merging = true;
                return Ok(true);
            }
            (self.removed, self.merging) = (false, false);
            self.merged = Some(Instant::now());
        }
        if sqlite::reclaim(connection, PAGES_A_STEP)? {
            return Ok(true);
        }
        sqlite::truncate_log(connection)?;
        Ok(false)
    }
}

/// Removes at once what was deleted from everything that is on the disk.
pub(super) fn scrub(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
    while sqlite::reclaim(connection, u32::MAX / 2)? {}
    sqlite::truncate_log(connection)
}

/// A step of rewriting the index of words without what was removed; whether there is more.
fn merge(connection: &mut Connection, begin: bool) -> rusqlite::Result<bool> {
    let pages = if begin { -MERGED_A_STEP } else { MERGED_A_STEP };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = transaction.total_changes();
    transaction.execute(
        "INSERT INTO search (search, rank) VALUES ('merge', ?)",
        [pages],
    )?;
    // Documented so: fewer than two changes mean that there was nothing left to merge.
    let more = transaction.total_changes() - before >= 2;
    transaction.commit()?;
    Ok(more)
}
