//! Tidies the file while the writer is idle: erases the words of removed events from the index,
//! returns free space to the file system, and empties the write-ahead log.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::time::Instant;

use podtap_disk::sqlite;

/// Time without writes after which the writer is idle.
const IDLE: Duration = Duration::from_mins(1);

/// Number of free pages returned in one step: takes a few milliseconds.
const PAGES_A_STEP: u32 = 256;

/// Number of pages of the full-text index merged in one step.
const MERGED_A_STEP: i64 = 64;

/// Minimum time between two rewrites of the full-text index, which
/// erase what was removed. Retention removes events each minute,
/// and the index is the largest part of a history of small events.
const MERGE_EVERY: Duration = Duration::from_hours(6);

/// Maximum time for tidying at the end.
const AT_THE_END: Duration = Duration::from_millis(300);

/// What remains to be tidied.
#[derive(Debug, Default)]
pub(super) struct Tidy {
    /// Time of the last write after which the file has not been tidied.
    wrote: Option<Instant>,
    /// Whether the index still contains words of removed events.
    removed: bool,
    /// Whether a merge of the index was begun and is not finished.
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

    /// Returns the time until there is work; `None` if there is none.
    pub(super) fn wait(&self) -> Option<Duration> {
        let due = self.wrote? + IDLE;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// Runs one small step. A failed step is tried again after the next write.
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

    /// Tidies what can be done quickly, and empties the log.
    pub(super) fn at_the_end(&mut self, connection: &mut Connection) {
        let begun = Instant::now();
        while self.wrote.is_some() && begun.elapsed() < AT_THE_END {
            self.step(connection);
        }
        if let Err(error) = sqlite::truncate_log(connection) {
            tracing::debug!(error = podtap_disk::words(&error), "cannot empty the log");
        }
    }

    /// Runs one step; returns whether there is more to do.
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

/// Removes deleted content from everything on the disk at once.
pub(super) fn scrub(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
    while sqlite::reclaim(connection, u32::MAX / 2)? {}
    sqlite::truncate_log(connection)
}

/// Runs one step of rewriting the full-text index without
/// removed words; returns whether there is more to do.
fn merge(connection: &mut Connection, begin: bool) -> rusqlite::Result<bool> {
    let pages = if begin { -MERGED_A_STEP } else { MERGED_A_STEP };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = transaction.total_changes();
    transaction.execute(
        "INSERT INTO search (search, rank) VALUES ('merge', ?)",
        [pages],
    )?;
    // SQLite documents that fewer than two changes mean that there was nothing left to merge.
    let more = transaction.total_changes() - before >= 2;
    transaction.commit()?;
    Ok(more)
}
