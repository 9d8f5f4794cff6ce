//! Decides which events are not delivered to the local service. Delivery asks just before an
//! attempt; replays are not checked.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use podtap_podio::{EventKind, EventType, ObjectRef};

use crate::history::{Event, HoldReason};

/// Objects whose events are held because they are in a loop. Shared by the loop detector, the code
/// that releases objects, and the gate.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldObjects(Arc<Mutex<HashSet<ObjectRef>>>);

impl HeldObjects {
    /// Holds an object; returns whether it was not held before.
    pub(crate) fn hold(&self, object: ObjectRef) -> bool {
        self.with(|held| held.insert(object))
    }

    /// Releases an object; returns whether it was held before.
    pub(crate) fn release(&self, object: ObjectRef) -> bool {
        self.with(|held| held.remove(&object))
    }

    /// Returns all held objects, in order.
    pub(crate) fn all(&self) -> Vec<ObjectRef> {
        let mut all: Vec<_> = self.with(|held| held.iter().copied().collect());
        all.sort_unstable();
        all
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashSet<ObjectRef>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl FromIterator<ObjectRef> for HeldObjects {
    fn from_iter<T: IntoIterator<Item = ObjectRef>>(objects: T) -> Self {
        Self(Arc::new(Mutex::new(objects.into_iter().collect())))
    }
}

/// Decides which events are held.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryGate {
    forward_verify: bool,
    held: HeldObjects,
}

impl DeliveryGate {
    pub(crate) fn new(forward_verify: bool, held: HeldObjects) -> Self {
        Self {
            forward_verify,
            held,
        }
    }

    /// Returns why this event must not be delivered; `None` if it may.
    pub(super) fn hold(&self, event: &Event) -> Option<HoldReason> {
        let podio = event.podio.as_ref()?;
        let is_verify = podio.kind == EventKind::Known(EventType::HookVerify);
        if is_verify && !self.forward_verify {
            return Some(HoldReason::Verify);
        }
        let object = podio.object()?;
        let is_held = self.held.with(|held| held.contains(&object));
        is_held.then_some(HoldReason::Loop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fresh_event;

    fn event(body: &'static str) -> Event {
        fresh_event("/", body)
    }

    #[test]
    fn only_a_held_objects_events_stay_until_it_is_released() {
        let held = HeldObjects::default();
        let gate = DeliveryGate::new(true, held.clone());
        let update = event("type=item.update&item_id=4711");
        let object = update.podio.as_ref().unwrap().object().unwrap();
        assert!(held.hold(object));
        assert_eq!(gate.hold(&update), Some(HoldReason::Loop));
        assert_eq!(gate.hold(&event("type=item.update&item_id=4712")), None);
        assert_eq!(gate.hold(&event("no event of Podio's")), None);

        assert!(held.release(object));
        assert_eq!(gate.hold(&update), None);
    }

    #[test]
    fn a_hook_verify_goes_on_unless_told_otherwise() {
        let verify = event("type=hook.verify&hook_id=7&code=b9079247");
        for (forward_verify, hold) in [(true, None), (false, Some(HoldReason::Verify))] {
            let gate = DeliveryGate::new(forward_verify, HeldObjects::default());
            assert_eq!(gate.hold(&verify), hold);
        }
    }
}
