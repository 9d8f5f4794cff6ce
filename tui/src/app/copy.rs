//! Copying an event: the menu holds the event for which it was opened, whatever is selected when
//! the form is chosen.

use podtap_agent::history::Event;

use super::App;
use crate::copy::CopyEffect;
use crate::copy::menu::{CopyForm, CopyMenu, is_obeyed};
use crate::effect::Effect;
use crate::modal::Modal;
use crate::theme::Role;
use crate::words;

impl App {
    /// Opens the menu for the selected event; without one there is still the tunnel's URL.
    pub(super) fn open_copy(&mut self) {
        let menu = self.list.selected().map(|row| (row.id, words::event(row)));
        self.modals.push(Modal::Copy(CopyMenu(menu)));
    }

    /// A form was chosen from the menu.
    pub(super) fn copy(&mut self, form: CopyForm) {
        let Some(Modal::Copy(CopyMenu(menu))) = self.modals.pop() else {
            return;
        };
        let Some((id, _)) = menu else {
            return self.copy_address(form);
        };
        match self.detail.opened_event(id) {
            Some(event) => {
                let event = event.clone();
                self.copy_event(&event, form);
            }
            None => self
                .effects
                .push(Effect::Copy(CopyEffect::Read { id, form })),
        }
    }

    /// An event was read to be copied.
    pub(super) fn read_to_copy(&mut self, form: CopyForm, result: Result<Box<Event>, String>) {
        match result {
            Ok(event) => self.copy_event(&event, form),
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    fn copy_event(&mut self, event: &Event, form: CopyForm) {
        let local = self.status.target.as_ref();
        let public = self.status.public_url.as_deref();
        let name = words::whole_event(event);
        match form.bytes(event, local, public) {
            Ok(bytes) => {
                let mut done = format!("Copied the {} of {name}", form.name());
                if is_obeyed(&bytes) {
                    done.push_str(", with control characters: do not paste it into a terminal");
                }
                self.effects.push(Effect::ToClipboard(bytes));
                self.toasts.show(Role::Ok, done, self.now);
            }
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    /// Before the first event there is only what Podio is to be given.
    fn copy_address(&mut self, form: CopyForm) {
        let (role, text) = match (form, words::hook_url(&self.status)) {
            (CopyForm::Url, Some(url)) => {
                self.effects
                    .push(Effect::ToClipboard(url.clone().into_bytes()));
                (Role::Ok, format!("Copied {url}"))
            }
            (CopyForm::Url, None) => {
                let text = "There is no public URL without a relay".to_owned();
                (Role::Failed, text)
            }
            _ => (Role::Quiet, "There is no event yet".to_owned()),
        };
        self.toasts.show(role, text, self.now);
    }
}
