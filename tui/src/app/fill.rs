//! Forms that were filled in → what they are for.

use super::App;
use crate::effect::Effect;
use crate::modal::form::{Filled, Form};
use crate::modal::{Modal, Purpose};

impl App {
    /// A key did this to the open form.
    pub(super) fn filled(&mut self, filled: Filled, effects: &mut Vec<Effect>) {
        match filled {
            Filled::Sent => {}
            Filled::Chosen(0) => return self.trigger_chosen(),
            Filled::Chosen(_) | Filled::Nothing => return,
        }
        let Some(Modal::Form(mut form, purpose)) = self.modals.pop() else {
            return;
        };
        let kept = purpose.clone();
        if let Err(fault) = self.sent(&form, *purpose, effects) {
            form.refuse(fault);
            self.modals.push(Modal::Form(form, kept));
        }
    }

    /// Does what a form is for, or says what cannot be.
    fn sent(
        &mut self,
        form: &Form,
        purpose: Purpose,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        match purpose {
            Purpose::Replay(which) => self.replay_as_filled(form, which, effects)?,
            Purpose::Note { position, id } => Self::note_as_filled(form, position, id, effects),
            Purpose::Trigger(offer) => self.trigger_as_filled(form, &offer, effects)?,
        }
        Ok(())
    }
}
