//! The hooks pane: what its keys ask for, and what Podio has answered.

use podtap_agent::{HookListing, HookStanding};

use super::App;
use crate::effect::Effect;
use crate::generation::Generation;
use crate::hooks::HookChange;
use crate::hooks::HooksEffect;
use crate::keymap::{Action, Context};
use crate::line::Line;
use crate::modal::help::Help;
use crate::modal::hooks::{Hooks, about};
use crate::modal::new_hook::NewHook;
use crate::modal::{Deed, Modal, Purpose};
use crate::prose;
use crate::theme::Role;
use crate::widget::lines::{self, Lines};
use crate::words;

impl App {
    /// Opens the pane; the list is asked for with it.
    pub(super) fn open_hooks(&mut self) {
        self.modals.push(Modal::Hooks(Box::default()));
    }

    /// The pane, wherever it is among the windows.
    fn hooks(&mut self) -> Option<&mut Hooks> {
        self.modals.iter_mut().find_map(|modal| match modal {
            Modal::Hooks(pane) => Some(pane.as_mut()),
            _ => None,
        })
    }

    /// What the pane wants to know now.
    pub(super) fn ask_hooks(&mut self, effects: &mut Vec<Effect>) {
        let generation = self.hooks_asked + 1;
        if self.hooks().is_some_and(|pane| pane.ask(generation)) {
            self.hooks_asked = generation;
            effects.push(Effect::Hooks(HooksEffect::LoadHooks { generation }));
        }
    }

    /// Does what a key asks for in the pane.
    pub(super) fn act_on_hooks(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::Help => self.modals.push(Modal::Help(Help::new(self.contexts()))),
            Action::Open => self.open_hook(),
            Action::CreateHook => self.fill_in_hook(),
            Action::VerifyHook => self.verify_hook(effects),
            Action::DeleteHook => self.ask_to_delete_hook(),
            Action::Copy => self.copy_hook_url(effects),
            Action::Reload => {
                // One that is under way is as new as another would be, and each costs calls.
                let pane = self.hooks().filter(|pane| !pane.is_reading());
                pane.into_iter().for_each(Hooks::reload);
            }
            _ => self.move_within(action),
        }
    }

    fn open_hook(&mut self) {
        let room = lines::room(self.screen());
        let lines = self
            .hooks()
            .and_then(|pane| Some(about(pane.selected()?, room)));
        if let Some(lines) = lines {
            let lines = Lines::new("Hook", self.keymap().closes(), lines);
            self.modals.push(Modal::Lines(lines));
        }
    }

    fn fill_in_hook(&mut self) {
        let url = words::hook_url(&self.status).unwrap_or_default();
        let Some(pane) = self.hooks() else { return };
        let (form, new) = NewHook::open(pane.places(), pane.selected(), &url);
        self.modals
            .push(Modal::Form(form, Box::new(Purpose::CreateHook(new))));
    }

    fn verify_hook(&mut self, effects: &mut Vec<Effect>) {
        let selected = self.hooks().and_then(|pane| pane.selected()?.hook());
        if let Some(hook_id) = selected.map(|listed| listed.hook.hook_id) {
            self.change_hook(HookChange::Verify { hook_id }, effects);
        }
    }

    fn ask_to_delete_hook(&mut self) {
        let room = lines::room(self.screen());
        let selected = self.hooks().and_then(|pane| pane.selected()?.hook());
        let Some(listed) = selected else { return };
        let (hook_id, event) = (listed.hook.hook_id, &listed.hook.event);
        let question = format!("Delete hook {hook_id}, {event} on {}?", listed.place);
        let mut text = prose::wrapped(Role::Plain, &question, room);
        let url = Line::of(Role::Quiet, "to ").put(Role::Plain, &listed.hook.url);
        text.extend(url.wrap(room));
        if let Some(by) = &listed.hook.created_by {
            let by = Line::of(Role::Quiet, "made by ").put(Role::Plain, &by.name);
            text.extend(by.wrap(room));
        }
        let hint = [(Action::Accept, "deletes"), (Action::Back, "leaves")];
        let hint = self.keymap().says(Context::Confirm, &hint);
        let lines = Lines::new("Delete a hook", hint, text);
        let deed = Deed::DeleteHook { hook_id };
        self.modals.push(Modal::Confirm(lines, Box::new(deed)));
    }

    fn copy_hook_url(&mut self, effects: &mut Vec<Effect>) {
        let selected = self.hooks().and_then(|pane| pane.selected()?.hook());
        // Where it is pasted, a line break would be more than text.
        let url = selected.map(|listed| listed.hook.url.replace(char::is_control, ""));
        if let Some(url) = url {
            effects.push(Effect::ToClipboard(url.into_bytes()));
            self.toasts
                .show(Role::Ok, "Copied the hook's URL", self.now);
        }
    }

    /// Asks Podio for a change.
    pub(super) fn change_hook(&mut self, change: HookChange, effects: &mut Vec<Effect>) {
        self.hooks().into_iter().for_each(Hooks::changing);
        effects.push(Effect::Hooks(HooksEffect::ChangeHook(change)));
    }

    /// The list has come.
    pub(super) fn hooks_listed(
        &mut self,
        generation: Generation,
        listing: Result<HookListing, String>,
        standings: Result<Vec<HookStanding>, String>,
    ) {
        let standings = match standings {
            Ok(standings) => standings,
            Err(error) => {
                self.toasts.show(Role::Failed, error, self.now);
                Vec::new()
            }
        };
        if let Some(pane) = self.hooks() {
            pane.listed(generation, listing, standings);
        }
    }

    /// Podio has answered a change.
    pub(super) fn hook_changed(&mut self, change: &HookChange, result: Result<u64, String>) {
        let hook_id = match result {
            Ok(hook_id) => hook_id,
            Err(error) => {
                match self.hooks() {
                    Some(pane) => pane.refused(error),
                    None => self.toasts.show(Role::Failed, error, self.now),
                }
                return;
            }
        };
        let (told, is_sent) = match change {
            HookChange::Create { .. } => (
                format!("Made hook {hook_id}; Podio sends it a hook.verify"),
                true,
            ),
            HookChange::Verify { .. } => {
                (format!("Podio sends hook {hook_id} a hook.verify"), true)
            }
            HookChange::Delete { .. } => (format!("Deleted hook {hook_id}"), false),
        };
        self.toasts.show(Role::Ok, told, self.now);
        if let Some(pane) = self.hooks() {
            pane.changed(is_sent.then_some(hook_id));
        }
    }

    /// The validations of these hooks have ended.
    pub(super) fn hooks_verified(&mut self, hook_ids: &[u64]) {
        if let Some(pane) = self.hooks() {
            pane.verified(hook_ids);
        }
    }
}

#[cfg(test)]
mod tests;
