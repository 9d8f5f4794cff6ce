//! The hooks that lead to this tunnel, as Podio listed them last, and those that were deleted here
//! meanwhile: what one part finds out and others tell. In memory alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_podio::client::{Hook, HookStatus};

use crate::place::PlaceRef;

/// Hooks deleted here that are remembered, the latest: Podio gives no id twice.
const MAX_DELETED: usize = 1_000;

/// Hooks of one place that are remembered: more than ten of each type cannot be.
const MAX_OF_PLACE: usize = 200;

/// Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct TunnelHooks(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// At most [`super::MAX_PLACES`].
    places: BTreeMap<PlaceRef, Vec<(u64, HookStatus)>>,
    deleted: VecDeque<u64>,
}

impl TunnelHooks {
    /// These are the tunnel's hooks on one place.
    pub(crate) fn set(&self, at: PlaceRef, ours: &[Hook]) {
        let hooks = ours.iter().take(MAX_OF_PLACE);
        let hooks = hooks.map(|hook| (hook.hook_id, hook.status)).collect();
        let mut known = self.lock();
        if known.places.len() < super::MAX_PLACES || known.places.contains_key(&at) {
            known.places.insert(at, hooks);
        }
    }

    /// Every hook of the tunnel; `None` before anybody looked.
    pub(crate) fn all(&self) -> Option<Vec<(u64, HookStatus)>> {
        let known = self.lock();
        let all = known.places.values().flatten().copied().collect();
        (!known.places.is_empty()).then_some(all)
    }

    /// A hook was deleted here: that it is gone is no news.
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

    /// Whether a hook was deleted here.
    pub(crate) fn is_deleted(&self, hook_id: u64) -> bool {
        self.lock().deleted.contains(&hook_id)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
