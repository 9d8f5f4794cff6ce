//! Shares state in memory between the writer and the callers of a queue: the depths of the
//! queues, their newest events, and the acknowledgements.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use podtap_wire::{EventFrame, Seq};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::acknowledged::AcknowledgedSeqs;
use crate::queue::recent::Recents;
use crate::queue::{Depth, ReadLimit, TunnelId};

/// State of the queue outside of the database.
#[derive(Debug, Default)]
pub(super) struct SharedQueue {
    state: Mutex<SharedState>,
    /// Notified when there are acknowledgements and were none before.
    has_acknowledged: Notify,
}

#[derive(Debug, Default)]
struct SharedState {
    /// Depths as of the last commit, of tunnels that have had subscribers.
    tunnels: HashMap<TunnelId, watch::Sender<Depth>>,
    recent: Recents,
    acknowledged: AcknowledgedSeqs,
}

impl SharedQueue {
    /// Subscribes to the depth of a queue that is already tracked.
    pub(super) fn subscribe(&self, tunnel: TunnelId) -> Option<watch::Receiver<Depth>> {
        let state = self.lock();
        state.tunnels.get(&tunnel).map(watch::Sender::subscribe)
    }

    /// Starts to track the depth of a queue.
    pub(super) fn follow(&self, tunnel: TunnelId, depth: Depth) -> watch::Receiver<Depth> {
        let mut state = self.lock();
        let watched = state.tunnels.entry(tunnel);
        let watched = watched.or_insert_with(|| watch::Sender::new(depth));
        watched.subscribe()
    }

    /// Adds the events of a commit for the sessions that follow their tunnels, and announces
    /// the new depths. The events of a tunnel are in order.
    pub(super) fn publish(
        &self,
        events: impl IntoIterator<Item = (TunnelId, EventFrame)>,
        depths: Vec<(TunnelId, Depth)>,
    ) {
        let mut state = self.lock();
        for (tunnel, event) in events {
            state.push(tunnel, event);
        }
        for (tunnel, depth) in depths {
            state.recent.forget(tunnel, depth.removed);
            if let Some(watched) = state.tunnels.get(&tunnel) {
                watched.send_replace(depth);
            }
        }
    }

    /// Returns the next events after `after`, or `None` if they are not in memory.
    pub(super) fn recent(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> Option<Vec<EventFrame>> {
        self.lock().recent.take_after(tunnel, after, at_most)
    }

    /// Removes a deleted tunnel, which ends the wait of its subscribers.
    pub(super) fn forget(&self, tunnel: TunnelId) {
        self.lock().remove(tunnel);
    }

    /// Drops the state of tunnels that have no subscriber any more.
    pub(super) fn sweep(&self) {
        let mut state = self.lock();
        let idle = state.tunnels.iter();
        let idle = idle.filter(|(_, watched)| watched.receiver_count() == 0);
        let idle: Vec<TunnelId> = idle.map(|(tunnel, _)| *tunnel).collect();
        for tunnel in idle {
            state.remove(tunnel);
        }
    }

    /// Drops all events, because the file that contains them was replaced.
    pub(super) fn forget_recent(&self) {
        self.lock().recent.clear();
    }

    /// Records that an agent has everything up to `through`. Returns whether there is now
    /// enough to delete.
    pub(super) fn acknowledge(&self, tunnel: TunnelId, through: Seq) -> bool {
        let mut state = self.lock();
        let removed = state.tunnels.get(&tunnel);
        let removed = removed.map_or(Seq(0), |watched| watched.borrow().removed);
        let now = Instant::now();
        if state.acknowledged.is_empty() {
            self.has_acknowledged.notify_waiters();
        }
        state.acknowledged.note(tunnel, through, removed, now);
        state.acknowledged.is_due(Duration::MAX, now)
    }

    /// Waits until there are acknowledged events to delete.
    pub(super) async fn wait_for_acknowledged(&self) {
        loop {
            // The waiter is created before the check, so that no acknowledgement in between is
            // missed.
            let noted = self.has_acknowledged.notified();
            if self.has_acknowledged() {
                return;
            }
            noted.await;
        }
    }

    /// Returns whether there are acknowledged events to delete.
    pub(super) fn has_acknowledged(&self) -> bool {
        !self.lock().acknowledged.is_empty()
    }

    /// Returns whether there are many acknowledged events, or the oldest acknowledgement is
    /// older than `after`.
    pub(super) fn is_due(&self, after: Duration) -> bool {
        self.lock().acknowledged.is_due(after, Instant::now())
    }

    /// Returns all acknowledgements, to delete their events, and forgets them.
    pub(super) fn take_acknowledged(&self) -> Vec<(TunnelId, Seq)> {
        self.lock().acknowledged.take()
    }

    fn lock(&self) -> MutexGuard<'_, SharedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedState {
    /// Keeps an event in memory if its tunnel has a subscriber.
    fn push(&mut self, tunnel: TunnelId, event: EventFrame) {
        match self.tunnels.get(&tunnel) {
            Some(watched) if watched.receiver_count() > 0 => self.recent.push(tunnel, event),
            Some(_) => self.recent.remove(tunnel),
            None => {}
        }
    }

    fn remove(&mut self, tunnel: TunnelId) {
        self.tunnels.remove(&tunnel);
        self.recent.remove(tunnel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::recent::tests::event;
    use crate::queue::recent::{MAX_BYTES, MAX_TOTAL_BYTES};

    const ALL: ReadLimit = ReadLimit {
        events: 10,
        bytes: 1 << 20,
    };

    #[test]
    fn events_are_kept_for_those_who_follow_and_for_nobody_else() {
        let (shared, tunnel) = (SharedQueue::default(), TunnelId(1));
        shared.publish([(tunnel, event(1, 10))], Vec::new());
        assert!(shared.recent(tunnel, Seq(0), ALL).is_none());
        let follower = shared.follow(tunnel, Depth::default());
        shared.publish([(tunnel, event(2, 10))], Vec::new());
        assert_eq!(shared.recent(tunnel, Seq(1), ALL).unwrap().len(), 1);

        shared.publish([(tunnel, event(3, 10))], Vec::new());
        drop(follower);
        shared.publish([(tunnel, event(4, 10))], Vec::new());

        assert!(shared.recent(tunnel, Seq(2), ALL).is_none());
        shared.sweep();
        assert!(shared.subscribe(tunnel).is_none());
        assert_eq!(shared.lock().recent.bytes(), 0);
    }

    #[test]
    fn all_tunnels_together_keep_no_more_than_the_total() {
        let shared = SharedQueue::default();
        let body = MAX_BYTES - 10_000;
        let count = i64::try_from(MAX_TOTAL_BYTES / MAX_BYTES + 8).unwrap();
        let followers: Vec<_> = (0..count)
            .map(|id| shared.follow(TunnelId(id), Depth::default()))
            .collect();
        for id in 0..count {
            shared.publish([(TunnelId(id), event(1, body))], Vec::new());
        }
        assert!(shared.lock().recent.bytes() <= MAX_TOTAL_BYTES);
        assert!(shared.recent(TunnelId(0), Seq(0), ALL).is_some());
        let last = TunnelId(count - 1);
        assert!(shared.recent(last, Seq(0), ALL).is_none(), "no room for it");
        shared.publish([(last, event(2, body))], Vec::new());
        assert!(shared.recent(last, Seq(1), ALL).is_some(), "now there is");
        drop(followers);
    }

    #[test]
    fn what_is_removed_is_not_handed_over() {
        let (shared, tunnel) = (SharedQueue::default(), TunnelId(1));
        let _follower = shared.follow(tunnel, Depth::default());
        let depth = Depth {
            removed: Seq(2),
            last: Seq(3),
            bytes: 0,
        };
        let events = (1..=3).map(|seq| (tunnel, event(seq, 10)));
        shared.publish(events, vec![(tunnel, depth)]);
        assert!(shared.recent(tunnel, Seq(0), ALL).is_none());
        assert_eq!(shared.recent(tunnel, Seq(2), ALL).unwrap()[0].seq, Seq(3));
    }
}
