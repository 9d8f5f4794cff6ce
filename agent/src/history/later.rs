//! Writes that may wait a moment: what a power cut takes of them is found out again. They join the
//! next transaction that somebody waits for, and so cost no sync of their own.

use std::time::Duration;

use tokio::time::Instant;

use super::job::WriteJob;

/// How long a write waits for others.
const MAX_WAIT: Duration = Duration::from_millis(20);

/// How far apart transactions of these alone are from others: each writes some pages anew, however
/// little it adds to them.
const APART: Duration = Duration::from_millis(100);

/// Writes that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Later {
    writes: Vec<WriteJob>,
    rows: usize,
    since: Option<Instant>,
    /// When something was last written.
    wrote: Option<Instant>,
}

impl Later {
    /// Rows that wait; so many are written at once.
    pub(super) const MAX_ROWS: usize = 256;

    /// Adds writes that may wait.
    pub(super) fn add(&mut self, writes: Vec<WriteJob>) {
        if !writes.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        self.rows += writes.iter().map(|write| write.rows()).sum::<usize>();
        self.writes.extend(writes);
    }

    /// Time until they are to be written; `None` where there are none.
    pub(super) fn wait(&self) -> Option<Duration> {
        let since = self.since?;
        if self.rows >= Self::MAX_ROWS {
            return Some(Duration::ZERO);
        }
        let soon = since + MAX_WAIT;
        let due = self.wrote.map_or(soon, |wrote| soon.max(wrote + APART));
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// All of them, before `others`.
    pub(super) fn before(&mut self, mut others: Vec<WriteJob>) -> Vec<WriteJob> {
        let mut writes = std::mem::take(self).writes;
        writes.append(&mut others);
        self.wrote = Some(Instant::now());
        writes
    }
}
