//! Forms that were filled in → what they are for.

use super::App;
use crate::keymap::Action;
use crate::modal::{Modal, Purpose};
use crate::theme::Role;
use crate::widget::form::{FieldName, Form, FormEvent};

impl App {
    /// A key did this to the open form.
    pub(super) fn filled(&mut self, filled: FormEvent) {
        match filled {
            FormEvent::Submitted => {}
            FormEvent::OptionChosen(field) => return self.option_chosen(field),
            FormEvent::None => return,
        }
        let Some(Modal::Form(mut form, purpose)) = self.modals.pop() else {
            return;
        };
        let kept = purpose.clone();
        match self.sent(&form, *purpose) {
            Ok(()) if matches!(*kept, Purpose::Export(_) | Purpose::Import) => {
                self.sent_form = Some((form, kept));
            }
            Ok(()) => {}
            Err(fault) => {
                form.refuse(fault);
                self.modals.push(Modal::Form(form, kept));
            }
        }
    }

    /// What a form was sent for could not be done: it is there again with all that was filled in,
    /// unless a key that is on its way may be meant for something else.
    pub(super) fn refused(&mut self, fault: String) {
        let form = self.sent_form.take();
        match form.filter(|_| self.modals.is_empty() && !self.is_typing()) {
            Some((mut form, purpose)) => {
                form.refuse(fault);
                self.modals.push(Modal::Form(form, purpose));
            }
            None => self.toasts.show(Role::Failed, fault, self.now),
        }
    }

    /// Another option of a field was chosen: other fields may have to follow.
    fn option_chosen(&mut self, field: FieldName) {
        let Some(Modal::Form(form, purpose)) = self.modals.last_mut() else {
            return;
        };
        match purpose.as_mut() {
            Purpose::CreateHook(new) => new.option_chosen(field, form),
            Purpose::Trigger(offer) => offer.option_chosen(field, form, &self.last_sent),
            Purpose::Export(_) => self.export_chosen(field),
            Purpose::Replay(_) | Purpose::Note(_) | Purpose::Import => {}
        }
    }

    /// Does what a form is for, or says what cannot be.
    fn sent(&mut self, form: &Form, purpose: Purpose) -> Result<(), String> {
        match purpose {
            Purpose::Replay(which) => self.replay_as_filled(form, which)?,
            Purpose::Export(which) => self.export_as_filled(form, which)?,
            Purpose::Import => self.import_as_filled(form)?,
            Purpose::Note(event) => self.start([event.read(form)]),
            Purpose::Trigger(offer) => {
                let target = self.status.target.as_ref();
                let triggered = offer.read(form, target, &mut self.last_sent, self.now)?;
                self.start([triggered]);
                // It will be the newest, and is what a person wants to see now.
                self.list.act(Action::Follow, 0);
            }
            Purpose::CreateHook(new) => self.change_hook(new.read(form)?),
        }
        Ok(())
    }
}
