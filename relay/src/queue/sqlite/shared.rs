//! What the writer and those who wait at a tunnel have in common in memory: how each queue stands,
//! its newest events, and how far agents have them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use podtap_wire::{EventFrame, Seq};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::acknowledged::AcknowledgedSeqs;
use crate::queue::recent::Recents;
use crate::queue::{Depth, ReadLimit, TunnelId};

/// Everything that is known outside the database.
#[derive(Debug, Default)]
pub(super) struct SharedQueue {
    state: Mutex<SharedState>,
    /// Something is acknowledged, and nothing was before.
    has_acknowledged: Notify,
}

#[derive(Debug, Default)]
struct SharedState {
    /// Those that somebody asked for, as of the last commit.
    tunnels: HashMap<TunnelId, watch::Sender<Depth>>,
    recent: Recents,
    acknowledged: AcknowledgedSeqs,
}

impl SharedQueue {
    /// The state of a tunnel that is watched already.
    pub(super) fn subscribe(&self, tunnel: TunnelId) -> Option<watch::Receiver<Depth>> {
        let state = self.lock();
        state.tunnels.get(&tunnel).map(watch::Sender::subscribe)
    }

    /// Begins to keep the state of a tunnel.
    pub(super) fn follow(&self, tunnel: TunnelId, depth: Depth) -> watch::Receiver<Depth> {
        let mut state = self.lock();
        let watched = state.tunnels.entry(tunnel);
        let watched = watched.or_insert_with(|| watch::Sender::new(depth));
        watched.subscribe()
    }

    /// Hands what a commit stored to those who follow its tunnels, and tells them how these stand.
    /// The events of a tunnel are in order.
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

    /// The next events after `after`, from memory; `None` where they are not there.
    pub(super) fn recent(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> Option<Vec<EventFrame>> {
        self.lock().recent.take_after(tunnel, after, at_most)
    }

    /// Ends the wait of everyone at a tunnel that is gone.
    pub(super) fn forget(&self, tunnel: TunnelId) {
        self.lock().remove(tunnel);
    }

    /// Drops what is kept for tunnels that nobody follows any more.
    pub(super) fn sweep(&self) {
        let mut state = self.lock();
        let idle = state.tunnels.iter();
        let idle = idle.filter(|(_, watched)| watched.receiver_count() == 0);
        let idle: Vec<TunnelId> = idle.map(|(tunnel, _)| *tunnel).collect();
        for tunnel in idle {
            state.remove(tunnel);
        }
    }

    /// Drops all events: the file that they are in was replaced.
    pub(super) fn forget_recent(&self) {
        self.lock().recent.clear();
    }

    /// Notes that an agent has everything up to `through`. Whether that is enough to delete now.
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

    /// Resolves when agents have events that are to be deleted.
    pub(super) async fn wait_for_acknowledged(&self) {
        loop {
            // Made before the look: what is noted in between is not missed.
            let noted = self.has_acknowledged.notified();
            if self.has_acknowledged() {
                return;
            }
            noted.await;
        }
    }

    /// Whether agents have events that are to be deleted.
    pub(super) fn has_acknowledged(&self) -> bool {
        !self.lock().acknowledged.is_empty()
    }

    /// Whether there are many of them, or they have waited for so long.
    pub(super) fn is_due(&self, after: Duration) -> bool {
        self.lock().acknowledged.is_due(after, Instant::now())
    }

    /// Takes all acknowledgements, to delete their events.
    pub(super) fn take_acknowledged(&self) -> Vec<(TunnelId, Seq)> {
        self.lock().acknowledged.take()
    }

    fn lock(&self) -> MutexGuard<'_, SharedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedState {
    /// Keeps an event for who follows its tunnel; for nobody, none.
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
