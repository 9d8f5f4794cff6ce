//! What the writer tells those who wait at a tunnel.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::queue::{Depth, TunnelId};

/// What the writer tells everyone.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The state of each tunnel that somebody asked for, as of the last commit.
    depths: Mutex<HashMap<TunnelId, watch::Sender<Depth>>>,
}

impl Shared {
    pub(super) fn subscribe(&self, tunnel: TunnelId) -> Option<watch::Receiver<Depth>> {
        let depths = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        depths.get(&tunnel).map(watch::Sender::subscribe)
    }

    /// Tells those who wait for this tunnel how it stands after a commit.
    pub(super) fn publish(&self, tunnel: TunnelId, depth: Depth) {
        let depths = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = depths.get(&tunnel) {
            known.send_replace(depth);
        }
    }

    /// Begins to keep the state of a tunnel.
    pub(super) fn watch(&self, tunnel: TunnelId, depth: Depth) {
        let mut depths = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        depths
            .entry(tunnel)
            .or_insert_with(|| watch::Sender::new(depth));
    }

    /// Ends the wait of everyone at a tunnel that is gone.
    pub(super) fn forget(&self, tunnel: TunnelId) {
        let mut depths = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        depths.remove(&tunnel);
    }
}
