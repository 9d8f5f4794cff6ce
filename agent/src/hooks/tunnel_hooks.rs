//! Shares between parts of the agent the hooks that lead to this tunnel, as Podio listed them last,
//! and the hooks that were deleted here since then. In memory only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_podio::client::{Hook, HookStatus};

use crate::place::PlaceRef;

/// Maximum number of remembered deleted hooks, the latest: Podio does not reuse an id.
const MAX_DELETED: usize = 1_000;

/// Maximum number of remembered hooks per place: Podio allows at most ten of each type.
const MAX_OF_PLACE: usize = 200;

/// The hooks that lead to this tunnel. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct TunnelHooks(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Hooks of at most [`super::MAX_PLACES`] places.
    places: BTreeMap<PlaceRef, Vec<(u64, HookStatus)>>,
    deleted: VecDeque<u64>,
}

impl TunnelHooks {
    /// Sets the tunnel's hooks on one place.
    pub(crate) fn set(&self, at: PlaceRef, ours: &[Hook]) {
        let hooks = ours.iter().take(MAX_OF_PLACE);
        let hooks = hooks.map(|hook| (hook.hook_id, hook.status)).collect();
        let mut known = self.lock();
        if known.places.len() < super::MAX_PLACES || known.places.contains_key(&at) {
            known.places.insert(at, hooks);
        }
    }

    /// Returns every hook of the tunnel; `None` before the first listing.
    pub(crate) fn all(&self) -> Option<Vec<(u64, HookStatus)>> {
        let known = self.lock();
        let all = known.places.values().flatten().copied().collect();
        (!known.places.is_empty()).then_some(all)
    }

    /// Notes that a hook was deleted here, so that its absence is not reported.
    pub(crate) fn note_deleted(&self, hook_id: u64) {
        let mut known = self.lock();
        if known.deleted.len() >= MAX_DELETED {
            known.deleted.pop_front();
        }
        known.deleted.push_back(hook_id);
        for hooks in known.places.values_mut() {
            hooks.retain(|(known, _)| *known != hook_id);
        }
    }

    /// Returns whether a hook was deleted here.
    pub(crate) fn is_deleted(&self, hook_id: u64) -> bool {
        self.lock().deleted.contains(&hook_id)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
