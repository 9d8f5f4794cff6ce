//! Collects writes that may wait a moment, because what a power cut loses of them is found again.
//! They join the next transaction for which a caller waits, and so need no sync of their own.

use std::time::Duration;

use tokio::time::Instant;

use super::job::WriteJob;

/// Maximum time for which a write waits for others.
const MAX_WAIT: Duration = Duration::from_millis(20);

/// Minimum time between transactions that contain only such writes: each rewrites some pages, even
/// if it adds little to them.
const APART: Duration = Duration::from_millis(100);

/// Waiting writes, in order.
#[derive(Debug, Default)]
pub(super) struct Later {
    writes: Vec<WriteJob>,
    rows: usize,
    since: Option<Instant>,
    /// Time of the last write.
    wrote: Option<Instant>,
}

impl Later {
    /// Number of waiting rows at which they are written immediately.
    pub(super) const MAX_ROWS: usize = 256;

    /// Adds writes that may wait.
    pub(super) fn add(&mut self, writes: Vec<WriteJob>) {
        if !writes.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        self.rows += writes.iter().map(|write| write.rows()).sum::<usize>();
        self.writes.extend(writes);
    }

    /// Returns the time until they must be written; `None` if there are none.
    pub(super) fn wait(&self) -> Option<Duration> {
        let since = self.since?;
        if self.rows >= Self::MAX_ROWS {
            return Some(Duration::ZERO);
        }
        let soon = since + MAX_WAIT;
        let due = self.wrote.map_or(soon, |wrote| soon.max(wrote + APART));
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// Returns all waiting writes, followed by `others`.
    pub(super) fn before(&mut self, mut others: Vec<WriteJob>) -> Vec<WriteJob> {
        let mut writes = std::mem::take(self).writes;
        writes.append(&mut others);
        self.wrote = Some(Instant::now());
        writes
    }
}
