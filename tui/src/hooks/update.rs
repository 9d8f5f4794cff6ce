//! Handles the keys of the pane and Podio's answers.

use ratatui::layout::Rect;

use super::effect::{HookChange, HooksAnswer, HooksEffect};
use super::{HookForm, HooksPane};
use crate::command::UiCommand;
use crate::env::Env;
use crate::keymap::Action;
use crate::theme::Role;
use crate::widget::lines::{self, Lines};

/// What to do after a key of the pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HooksUpdate {
    Do(Vec<UiCommand<HooksEffect>>),
    /// Shows this text.
    Read(Lines),
    /// Opens this form.
    Fill(Box<HookForm>),
    /// Asks whether to delete this hook.
    AskToDelete(Lines, u64),
    /// The key has no special meaning in the pane.
    Other,
}

impl HooksPane {
    /// Carries out an action. A new hook calls `url` unless a person changes it.
    pub(crate) fn update(
        &mut self,
        action: Action,
        url: &str,
        env: Env<'_>,
        screen: Rect,
    ) -> HooksUpdate {
        let room = lines::room(screen);
        match action {
            Action::Open => match self.about(env.keymap, room) {
                Some(lines) => HooksUpdate::Read(lines),
                None => self.nothing_selected(),
            },
            // The form offers the known places, so it needs the first list.
            Action::CreateHook if self.is_reading() && self.places().is_empty() => {
                self.nothing_selected()
            }
            Action::CreateHook => {
                let form = HookForm::new(self.places(), self.selected_row(), url);
                HooksUpdate::Fill(Box::new(form))
            }
            Action::DeleteHook => match self.delete_question(env.keymap, room) {
                Some((lines, hook_id)) => HooksUpdate::AskToDelete(lines, hook_id),
                None => self.nothing_selected(),
            },
            Action::VerifyHook => match self.verify() {
                Some(effect) => HooksUpdate::Do(vec![UiCommand::Run(effect)]),
                None => self.nothing_selected(),
            },
            Action::Copy => match self.url() {
                Some(url) => HooksUpdate::Do(vec![
                    UiCommand::Copy(url.into_bytes()),
                    UiCommand::notify(Role::Ok, "Copied the hook's URL"),
                ]),
                None => self.nothing_selected(),
            },
            Action::Reload => {
                // A list that is being read is as new as another one, and
                // each costs calls to Podio.
                if !self.is_reading() {
                    self.reload();
                }
                HooksUpdate::Do(Vec::new())
            }
            _ => HooksUpdate::Other,
        }
    }

    /// Returns the reason why a key that needs a hook does nothing.
    fn nothing_selected(&self) -> HooksUpdate {
        let text = match (self.is_reading(), self.selected_row()) {
            (true, _) => "The hooks are still being read",
            (false, None) => "There is no hook here",
            (false, Some(_)) => "Podio does not list this hook",
        };
        HooksUpdate::Do(vec![UiCommand::notify(Role::Quiet, text)])
    }
}

/// Asks Podio for a change. `pane` is the pane, if it is open.
pub(crate) fn request_change(
    pane: Option<&mut HooksPane>,
    change: HookChange,
) -> UiCommand<HooksEffect> {
    pane.into_iter().for_each(HooksPane::begin_change);
    UiCommand::Run(HooksEffect::ChangeHook(change))
}

/// Handles Podio's answer. `pane` is the pane, if it is open.
pub(crate) fn on_answer(
    pane: Option<&mut HooksPane>,
    answer: HooksAnswer,
) -> Option<UiCommand<HooksEffect>> {
    match answer {
        HooksAnswer::Hooks {
            generation,
            listing,
            standings,
        } => {
            let (standings, error) = match standings {
                Ok(standings) => (standings, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            if let Some(pane) = pane {
                pane.on_listing(generation, listing.map(|listing| *listing), standings);
            }
            error.map(|error| UiCommand::Notify(Role::Failed, error))
        }
        HooksAnswer::HookChanged {
            change,
            result: Ok(hook_id),
        } => {
            let (text, is_verified) = match change {
                HookChange::Create { .. } => (
                    format!("Created hook {hook_id}; Podio will verify it"),
                    true,
                ),
                HookChange::Verify { .. } => (format!("Podio will verify hook {hook_id}"), true),
                HookChange::Delete { .. } => (format!("Deleted hook {hook_id}"), false),
            };
            if let Some(pane) = pane {
                pane.change_done(is_verified.then_some(hook_id));
            }
            Some(UiCommand::Notify(Role::Ok, text))
        }
        HooksAnswer::HookChanged {
            result: Err(error), ..
        } => match pane {
            Some(pane) => {
                pane.change_failed(error);
                None
            }
            None => Some(UiCommand::Notify(Role::Failed, error)),
        },
    }
}
