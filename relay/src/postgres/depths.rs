//! How the queues stand that somebody of this relay waits at, as far as it is known in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::queue::{Depth, TunnelId};

/// The queues that are watched.
#[derive(Debug, Default)]
pub(super) struct Depths {
    state: Mutex<State>,
    touched: Notify,
}

#[derive(Debug, Default)]
struct State {
    tunnels: HashMap<TunnelId, watch::Sender<Depth>>,
    /// Those in which another relay has stored something.
    touched: HashSet<TunnelId>,
}

impl Depths {
    /// The state of a tunnel that is watched already.
    pub(super) fn subscribe(&self, tunnel: TunnelId) -> Option<watch::Receiver<Depth>> {
        self.lock()
            .tunnels
            .get(&tunnel)
            .map(watch::Sender::subscribe)
    }

    /// Begins to keep the state of a tunnel.
    pub(super) fn watch(&self, tunnel: TunnelId, depth: Depth) -> watch::Receiver<Depth> {
        let mut state = self.lock();
        let known = state.tunnels.entry(tunnel);
        let sender = known.or_insert_with(|| watch::Sender::new(depth));
        forward(sender, depth);
        sender.subscribe()
    }

    /// Takes over how queues stand. Two reads may come in the other order: none goes back.
    pub(super) fn moved(&self, depths: impl IntoIterator<Item = (TunnelId, Depth)>) {
        let state = self.lock();
        for (tunnel, depth) in depths {
            if let Some(sender) = state.tunnels.get(&tunnel) {
                forward(sender, depth);
            }
        }
    }

    /// Ends the wait of everyone at a tunnel that is gone.
    pub(super) fn forget(&self, tunnel: TunnelId) {
        self.lock().tunnels.remove(&tunnel);
    }

    /// Notes that another relay has stored something in these.
    pub(super) fn touch(&self, tunnels: impl Iterator<Item = TunnelId>) {
        let mut state = self.lock();
        let State {
            tunnels: watched,
            touched,
        } = &mut *state;
        touched.extend(tunnels.filter(|tunnel| watched.contains_key(tunnel)));
        if !touched.is_empty() {
            self.touched.notify_one();
        }
    }

    /// Waits for [`Depths::touch`], and takes what was touched.
    pub(super) async fn touched(&self) -> Vec<TunnelId> {
        loop {
            let notified = self.touched.notified();
            let touched = std::mem::take(&mut self.lock().touched);
            if !touched.is_empty() {
                return touched.into_iter().collect();
            }
            notified.await;
        }
    }

    /// Every queue that somebody waits at; those that nobody does any more are dropped.
    pub(super) fn watched(&self) -> Vec<TunnelId> {
        let mut state = self.lock();
        state.tunnels.retain(|_, depth| depth.receiver_count() > 0);
        state.tunnels.keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let seen = depths.watch(tunnel, depth(1, 5));
        depths.moved([(tunnel, depth(1, 4)), (tunnel, depth(0, 6))]);
        assert_eq!(*seen.borrow(), depth(1, 5));
        depths.moved([(tunnel, depth(2, 6))]);
        assert_eq!(*seen.borrow(), depth(2, 6));
        drop(seen);
        assert!(depths.watched().is_empty());
    }
}
