//! The hooks pane: which windows its keys open, and whom its answers concern.

use super::App;
use crate::effect::Effect;
use crate::hooks::{HookChange, Hooks, HooksAnswer, HooksEffect, NewHook, change_notice};
use crate::keymap::Action;
use crate::modal::{Modal, PendingAction, Purpose, hooks_pane};
use crate::theme::Role;
use crate::widget::lines;
use crate::words;

impl App {
    /// Does what a key asks for in the pane.
    pub(super) fn act_on_hooks(&mut self, action: Action) {
        let room = lines::room(self.screen());
        let keymap = &self.config.keymap;
        let Some(pane) = hooks_pane(&mut self.modals) else {
            return;
        };
        let window = match action {
            Action::Open => pane.about(keymap, room).map(Modal::Lines),
            Action::CreateHook => {
                let url = words::hook_url(&self.status).unwrap_or_default();
                let (form, new) = NewHook::open(pane.places(), pane.selected(), &url);
                Some(Modal::Form(form, Box::new(Purpose::CreateHook(new))))
            }
            Action::DeleteHook => pane.delete_question(keymap, room).map(|(lines, hook_id)| {
                Modal::Confirm(lines, Box::new(PendingAction::DeleteHook { hook_id }))
            }),
            Action::VerifyHook => {
                let verified = pane.verify();
                return self.start(verified);
            }
            Action::Copy => {
                if let Some(url) = pane.url() {
                    self.start([Effect::ToClipboard(url.into_bytes())]);
                    self.notify((Role::Ok, "Copied the hook's URL"));
                }
                return;
            }
            // A list that is on its way is as new as another would be, and each costs calls.
            Action::Reload if pane.is_reading() => return,
            Action::Reload => return pane.reload(),
            _ => return self.move_within(action),
        };
        self.modals.extend(window);
    }

    /// Asks Podio for a change.
    pub(super) fn change_hook(&mut self, change: HookChange) {
        let pane = hooks_pane(&mut self.modals);
        pane.into_iter().for_each(Hooks::begin_change);
        self.start([HooksEffect::ChangeHook(change)]);
    }

    /// Podio has answered.
    pub(super) fn answer_hooks(&mut self, answer: HooksAnswer) {
        match answer {
            HooksAnswer::Hooks {
                generation,
                listing,
                standings,
            } => {
                let standings = standings.unwrap_or_else(|error| {
                    self.notify((Role::Failed, error));
                    Vec::new()
                });
                if let Some(pane) = hooks_pane(&mut self.modals) {
                    pane.on_answer(generation, listing.map(|listing| *listing), standings);
                }
            }
            HooksAnswer::HookChanged {
                change,
                result: Ok(hook_id),
            } => {
                let (notice, verified) = change_notice(&change, hook_id);
                self.notify(notice);
                if let Some(pane) = hooks_pane(&mut self.modals) {
                    pane.change_done(verified);
                }
            }
            HooksAnswer::HookChanged {
                result: Err(error), ..
            } => match hooks_pane(&mut self.modals) {
                Some(pane) => pane.change_failed(error),
                None => self.notify((Role::Failed, error)),
            },
        }
    }
}
