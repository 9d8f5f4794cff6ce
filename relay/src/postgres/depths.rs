//! Keeps in memory the depth of each queue that has a subscriber in this relay, and the
//! newest events that this relay has stored in these queues.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use podtap_wire::{EventFrame, Seq};
use tokio::sync::{Notify, watch};

use crate::queue::recent::Recents;
use crate::queue::{Depth, ReadLimit, TunnelId};

/// Depths and recent events of the queues that have subscribers.
#[derive(Debug, Default)]
pub(super) struct Depths {
    state: Mutex<DepthsState>,
    touched: Notify,
}

#[derive(Debug, Default)]
struct DepthsState {
    tunnels: HashMap<TunnelId, watch::Sender<Depth>>,
    /// Queues in which another relay has stored events.
    touched: HashSet<TunnelId>,
    /// Newest events that this relay has stored. Events of other relays are missing here; after
    /// such an event, the list of a tunnel starts again.
    recent: Recents,
}

impl Depths {
    /// Subscribes to the depth of a queue that already has a subscriber.
    pub(super) fn subscribe(&self, tunnel: TunnelId) -> Option<watch::Receiver<Depth>> {
        self.lock()
            .tunnels
            .get(&tunnel)
            .map(watch::Sender::subscribe)
    }

    /// Starts to track the depth of a queue.
    pub(super) fn follow(&self, tunnel: TunnelId, depth: Depth) -> watch::Receiver<Depth> {
        let mut state = self.lock();
        let known = state.tunnels.entry(tunnel);
        let sender = known.or_insert_with(|| watch::Sender::new(depth));
        forward(sender, depth);
        sender.subscribe()
    }

    /// Updates depths. Two reads may arrive in the wrong order, so a depth never goes back.
    pub(super) fn update(&self, depths: impl IntoIterator<Item = (TunnelId, Depth)>) {
        self.lock().update(depths);
    }

    /// Adds the events that this relay has stored, and announces the new depths to the
    /// subscribers. The events of a tunnel are in order.
    pub(super) fn publish(
        &self,
        events: impl IntoIterator<Item = (TunnelId, EventFrame)>,
        depths: impl IntoIterator<Item = (TunnelId, Depth)>,
    ) {
        let mut state = self.lock();
        for (tunnel, event) in events {
            let followed = state.tunnels.get(&tunnel);
            if followed.is_some_and(|depth| depth.receiver_count() > 0) {
                state.recent.push(tunnel, event);
            }
        }
        state.update(depths);
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
        let mut state = self.lock();
        state.tunnels.remove(&tunnel);
        state.recent.remove(tunnel);
    }

    /// Notes that another relay has stored events in these queues.
    pub(super) fn touch(&self, tunnels: impl Iterator<Item = TunnelId>) {
        let mut state = self.lock();
        let DepthsState {
            tunnels: watched,
            touched,
            ..
        } = &mut *state;
        touched.extend(tunnels.filter(|tunnel| watched.contains_key(tunnel)));
        if !touched.is_empty() {
            self.touched.notify_one();
        }
    }

    /// Waits for [`Depths::touch`] and returns the queues that were touched.
    pub(super) async fn take_touched(&self) -> Vec<TunnelId> {
        loop {
            let notified = self.touched.notified();
            let touched = std::mem::take(&mut self.lock().touched);
            if !touched.is_empty() {
                return touched.into_iter().collect();
            }
            notified.await;
        }
    }

    /// Returns all queues with subscribers and drops the others.
    pub(super) fn followed_tunnels(&self) -> Vec<TunnelId> {
        let mut state = self.lock();
        let DepthsState {
            tunnels, recent, ..
        } = &mut *state;
        tunnels.retain(|tunnel, depth| {
            let is_followed = depth.receiver_count() > 0;
            if !is_followed {
                recent.remove(*tunnel);
            }
            is_followed
        });
        tunnels.keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, DepthsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DepthsState {
    fn update(&mut self, depths: impl IntoIterator<Item = (TunnelId, Depth)>) {
        for (tunnel, depth) in depths {
            self.recent.forget(tunnel, depth.removed);
            if let Some(sender) = self.tunnels.get(&tunnel) {
                forward(sender, depth);
            }
        }
    }
}

fn forward(sender: &watch::Sender<Depth>, depth: Depth) {
    sender.send_if_modified(|known| {
        let is_newer = (depth.last, depth.removed) != (known.last, known.removed)
            && depth.last >= known.last
            && depth.removed >= known.removed;
        if is_newer {
            *known = depth;
        }
        is_newer
    });
}

#[cfg(test)]
mod tests {
    use podtap_wire::Seq;

    use super::*;
    use crate::queue::recent::tests::event;

    fn depth(removed: u64, last: u64) -> Depth {
        Depth {
            removed: Seq(removed),
            last: Seq(last),
            bytes: last - removed,
        }
    }

    #[test]
    fn what_was_read_earlier_changes_nothing() {
        let (depths, tunnel) = (Depths::default(), TunnelId(1));
        let seen = depths.follow(tunnel, depth(1, 5));
        depths.update([(tunnel, depth(1, 4)), (tunnel, depth(0, 6))]);
        assert_eq!(*seen.borrow(), depth(1, 5));
        depths.update([(tunnel, depth(2, 6))]);
        assert_eq!(*seen.borrow(), depth(2, 6));
        drop(seen);
        assert!(depths.followed_tunnels().is_empty());
    }

    #[test]
    fn what_this_relay_stored_is_handed_over_and_what_another_did_is_not_jumped_over() {
        let (depths, tunnel) = (Depths::default(), TunnelId(1));
        let one = ReadLimit {
            events: 1,
            bytes: 1,
        };
        let taken = |after| {
            let taken = depths.recent(tunnel, Seq(after), one);
            taken.map(|events| events.iter().map(|it| it.seq.0).collect::<Vec<_>>())
        };
        depths.publish([(tunnel, event(1, 1))], [(tunnel, depth(0, 1))]);
        assert_eq!(taken(0), None, "nobody follows it");

        let _follower = depths.follow(tunnel, depth(0, 1));
        let own = [2, 3].map(|seq| (tunnel, event(seq, 1)));
        depths.publish(own, [(tunnel, depth(0, 3))]);
        assert_eq!(taken(0), None, "the first is in the database");
        assert_eq!(taken(1), Some(vec![2]));
        // Event 4 was stored by another relay.
        depths.publish([(tunnel, event(5, 1))], [(tunnel, depth(0, 5))]);
        assert_eq!(taken(3), None);
        assert_eq!(taken(4), Some(vec![5]));

        let own = [6, 7].map(|seq| (tunnel, event(seq, 1)));
        depths.publish(own, [(tunnel, depth(6, 7))]);
        assert_eq!(taken(5), None, "it was removed");
        assert_eq!(taken(6), Some(vec![7]));
        depths.forget(tunnel);
        assert_eq!(taken(7), None);
    }
}
