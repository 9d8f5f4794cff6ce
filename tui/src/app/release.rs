//! Objects that are held because of a loop.

use podtap_podio::ObjectRef;

use super::App;
use crate::effect::Effect;
use crate::loops::LoopsEffect;
use crate::theme::Role;

impl App {
    /// Lets the selected event's object go, if its events are held because of a loop.
    pub(super) fn release(&self, effects: &mut Vec<Effect>) {
        let selected = self.list.selected().and_then(|row| row.object);
        effects.extend(selected.map(|object| Effect::Loops(LoopsEffect::Release { object })));
    }

    /// An object was let go, or was not held.
    pub(super) fn released(&mut self, object: ObjectRef, result: Result<bool, String>) {
        let (role, text) = match result {
            Ok(true) => (
                Role::Ok,
                format!("New events of {object} are delivered again"),
            ),
            Ok(false) => (
                Role::Quiet,
                format!("{object} is in no loop: nothing of it is held back"),
            ),
            Err(error) => (Role::Failed, error),
        };
        self.toasts.show(role, text, self.now);
    }
}
