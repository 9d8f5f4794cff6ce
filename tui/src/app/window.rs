//! Passes a key press in the top window to that window's feature.

use super::App;
use crate::command::UiCommand;
use crate::effect::Effect;
use crate::hooks::HooksUpdate;
use crate::keymap::Action;
use crate::layout::Pane;
use crate::modal::palette::PaletteChoice;
use crate::modal::{FeatureForm, Modal, PendingAction};
use crate::words;

impl App {
    /// Carries out an action in the top window.
    pub(super) fn act_in_window(&mut self, action: Action) {
        let (screen, env) = (self.panes.screen(), self.config.env(self.now));
        match self.windows.top_mut() {
            Some(Modal::Hooks(pane)) => {
                let url = words::hook_url(&self.status).unwrap_or_default();
                match pane.update(action, &url, env, screen) {
                    HooksUpdate::Do(commands) => self.run(commands),
                    HooksUpdate::Read(lines) => self.windows.open(Modal::Lines(lines)),
                    HooksUpdate::Fill(form) => self.windows.open_form(FeatureForm::Hook(*form)),
                    HooksUpdate::AskToDelete(lines, hook_id) => {
                        let pending = Box::new(PendingAction::DeleteHook { hook_id });
                        self.windows.open(Modal::Confirm(lines, pending));
                    }
                    HooksUpdate::Other => self.move_within(action),
                }
            }
            Some(Modal::Timeline(pane)) if action == Action::Open => {
                if let Some(row) = pane.selected_event().cloned() {
                    self.windows.close_all();
                    self.list.go_to(row);
                    self.panes.focus = Pane::Detail;
                }
            }
            Some(Modal::Tunnels(pane)) if action == Action::Open => {
                if let Some(name) = pane.chosen_name() {
                    self.windows.close();
                    self.run([UiCommand::Run(Effect::Switch(name))]);
                }
            }
            Some(window @ (Modal::Pulses(_) | Modal::Faults(_))) if action == Action::Open => {
                if let Some(filter) = window.filter() {
                    self.windows.close_all();
                    self.choose(PaletteChoice::Filter(filter));
                }
            }
            _ => self.move_within(action),
        }
    }
}
