//! Collects acknowledgements whose events are still in the database. Pure.
//!
//! Deleting is half of what an event costs the disk and no caller waits for it, so
//! deletions are collected.
//!
//! Invariant 1: after a crash, these acknowledgements are lost and the events are sent again;
//! the agent's history recognizes them. So their number and the time until deletion are small.

use std::collections::HashMap;
use std::time::Duration;

use podtap_wire::Seq;
use tokio::time::Instant;

use crate::queue::TunnelId;

/// Maximum number of events that may be sent again after a crash, in addition to those of
/// the last acknowledgement.
pub(super) const MAX_EVENTS: u64 = 1024;

/// Age after which the next transaction also deletes the events.
pub(super) const RIDE_AFTER: Duration = Duration::from_millis(500);

/// Age after which the events are deleted in a separate transaction.
pub(super) const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// Last acknowledged event of each tunnel.
#[derive(Debug, Default)]
pub(super) struct AcknowledgedSeqs {
    through: HashMap<TunnelId, Seq>,
    events: u64,
    since: Option<Instant>,
}

impl AcknowledgedSeqs {
    /// Records that an agent has everything up to `through`. Events up to `removed` are already
    /// deleted.
    pub(super) fn note(&mut self, tunnel: TunnelId, through: Seq, removed: Seq, now: Instant) {
        let before = self.through.get(&tunnel).copied().unwrap_or_default();
        let before = before.max(removed);
        if through <= before {
            return;
        }
        self.through.insert(tunnel, through);
        self.events = self.events.saturating_add(through.0 - before.0);
        self.since.get_or_insert(now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.through.is_empty()
    }

    /// Returns whether there are too many events, or the oldest acknowledgement is older than
    /// `after`.
    pub(super) fn is_due(&self, after: Duration, now: Instant) -> bool {
        let waited = self.since.is_some_and(|since| now - since >= after);
        self.events >= MAX_EVENTS || waited
    }

    /// Returns all acknowledgements and forgets them.
    pub(super) fn take(&mut self) -> Vec<(TunnelId, Seq)> {
        std::mem::take(self).through.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUNNEL: TunnelId = TunnelId(1);

    #[tokio::test(start_paused = true)]
    async fn they_are_due_at_a_number_of_events_or_after_a_time() {
        let now = Instant::now();
        let mut acknowledged = AcknowledgedSeqs::default();
        acknowledged.note(TUNNEL, Seq(10 + MAX_EVENTS - 1), Seq(10), now);
        assert!(!acknowledged.is_due(RIDE_AFTER, now));
        assert!(acknowledged.is_due(RIDE_AFTER, now + RIDE_AFTER));
        assert!(!acknowledged.is_due(SETTLE_AFTER, now + RIDE_AFTER));

        acknowledged.note(TunnelId(2), Seq(1), Seq(0), now);

        assert!(acknowledged.is_due(SETTLE_AFTER, now), "of all tunnels");
        let mut taken = acknowledged.take();
        taken.sort_unstable();
        let all = [(TUNNEL, Seq(10 + MAX_EVENTS - 1)), (TunnelId(2), Seq(1))];
        assert_eq!(taken, all);
        assert!(acknowledged.is_empty());
        assert!(!acknowledged.is_due(Duration::ZERO, now));
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_one_changes_nothing() {
        let now = Instant::now();
        let mut acknowledged = AcknowledgedSeqs::default();
        acknowledged.note(TUNNEL, Seq(5), Seq(5), now);
        assert!(acknowledged.is_empty());
        acknowledged.note(TUNNEL, Seq(9), Seq(5), now);
        acknowledged.note(TUNNEL, Seq(7), Seq(5), now);
        assert_eq!(acknowledged.take(), [(TUNNEL, Seq(9))]);
    }
}
