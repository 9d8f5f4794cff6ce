//! The stack of open windows. The top window receives the keys.

use super::form::FeatureForm;
use super::{Modal, PendingAction};
use crate::changes::Changes;
use crate::command::UiCommand;
use crate::edit::EditorFile;
use crate::effect::Effect;
use crate::faults::FaultsPane;
use crate::generation::Generation;
use crate::hooks::HooksPane;
use crate::pulses::Pulses;
use crate::theme::Role;
use crate::timeline::TimelinePane;
use crate::tunnels::Tunnels;
use crate::widget::form::Form;

#[derive(Debug, Clone, Default)]
pub(crate) struct Windows {
    open: Vec<Modal>,
    /// A question that did not follow from a key press. It is asked once no window is
    /// open and no text is being typed.
    waiting: Option<Modal>,
    /// The form that was submitted last, until its answer arrives.
    submitted: Option<Box<Form<FeatureForm>>>,
    /// The number of the last request for the hooks, of any pane.
    hooks_asked: Generation,
}

impl Windows {
    /// Returns the open windows, the lowest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Modal> {
        self.open.iter()
    }

    /// Returns whether no window is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Returns the top window, which receives the keys.
    pub(crate) fn top(&self) -> Option<&Modal> {
        self.open.last()
    }

    /// Returns the top window for changes.
    pub(crate) fn top_mut(&mut self) -> Option<&mut Modal> {
        self.open.last_mut()
    }

    /// Opens a window over the others.
    pub(crate) fn open(&mut self, window: Modal) {
        self.open.push(window);
    }

    /// Opens a form over the others.
    pub(crate) fn open_form(&mut self, form: FeatureForm) {
        self.open(Modal::Form(Box::new(Form::new(form))));
    }

    /// Closes the top window.
    pub(crate) fn close(&mut self) -> Option<Modal> {
        self.open.pop()
    }

    /// Closes all windows.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// Stores a question to ask once no window is open and no text is being typed.
    pub(crate) fn ask_later(&mut self, question: Modal) {
        self.waiting = Some(question);
    }

    /// Asks the stored question, unless the next key press may be meant for a window or
    /// for text. Returns whether it asked.
    pub(crate) fn ask_waiting(&mut self, is_typing: bool) -> bool {
        if is_typing || !self.is_empty() {
            return false;
        }
        let asked = self.waiting.take();
        let is_asked = asked.is_some();
        self.open.extend(asked);
        is_asked
    }

    /// Keeps a submitted form until its answer arrives.
    pub(crate) fn keep_submitted(&mut self, form: Box<Form<FeatureForm>>) {
        self.submitted = Some(form);
    }

    /// Opens a submitted form again with its content, because the action has failed. If the next
    /// key press may be meant for a window or for text, returns a notice instead.
    pub(crate) fn reopen_form<E>(
        &mut self,
        fault: String,
        is_typing: bool,
    ) -> Option<UiCommand<E>> {
        let form = self.submitted.take();
        match form.filter(|_| self.is_empty() && !is_typing) {
            Some(form) => {
                self.open(Modal::Form(Box::new(form.with_fault(fault))));
                None
            }
            None => Some(UiCommand::Notify(Role::Failed, fault)),
        }
    }

    /// Returns whether the health window is on top.
    pub(crate) fn shows_health(&self) -> bool {
        matches!(self.top(), Some(Modal::Health(_)))
    }

    /// Closes the top window if it asks for confirmation, and returns the confirmed action.
    pub(crate) fn take_confirmed(&mut self) -> Option<PendingAction> {
        match self.open.pop_if(|window| window.asks())? {
            Modal::Confirm(_, pending) => Some(*pending),
            _ => None,
        }
    }

    /// Closes the confirmation of an edited event, and returns the file to edit again.
    pub(crate) fn edit_again(&mut self) -> Option<EditorFile> {
        let file = match self.top()? {
            Modal::Confirm(_, pending) => match pending.as_ref() {
                PendingAction::Send(edited) => edited.file(),
                _ => return None,
            },
            _ => return None,
        };
        self.close();
        Some(file)
    }

    /// Returns the hooks pane, even if it is not the top window.
    pub(crate) fn hooks(&mut self) -> Option<&mut HooksPane> {
        self.open.iter_mut().find_map(|window| match window {
            Modal::Hooks(pane) => Some(pane.as_mut()),
            _ => None,
        })
    }

    /// Returns the timeline, even if it is not the top window.
    pub(crate) fn timeline(&mut self) -> Option<&mut TimelinePane> {
        self.open.iter_mut().find_map(|window| match window {
            Modal::Timeline(pane) => Some(pane.as_mut()),
            _ => None,
        })
    }

    /// Returns the table of the hooks' calls, even if it is not the top window.
    pub(crate) fn pulses(&mut self) -> Option<&mut Pulses> {
        self.open.iter_mut().find_map(|window| match window {
            Modal::Pulses(pulses) => Some(pulses.as_mut()),
            _ => None,
        })
    }

    /// Updates the table of tunnels. Returns whether it is open.
    pub(crate) fn on_tunnels(&mut self, tunnels: &Tunnels) -> bool {
        let mut is_shown = false;
        for window in &mut self.open {
            if let Modal::Tunnels(pane) = window {
                pane.update(tunnels);
                is_shown = true;
            }
        }
        is_shown
    }

    /// Returns the table of the failed deliveries, even if it is not the top window.
    pub(crate) fn faults(&mut self) -> Option<&mut FaultsPane> {
        self.open.iter_mut().find_map(|window| match window {
            Modal::Faults(pane) => Some(pane.as_mut()),
            _ => None,
        })
    }

    /// Handles a tick of the clock. Returns whether an open table must be drawn again.
    pub(crate) fn tick(&mut self) -> bool {
        let mut shows = false;
        for window in &mut self.open {
            match window {
                Modal::Timeline(pane) => pane.tick(),
                Modal::Faults(pane) => pane.tick(),
                Modal::Pulses(pulses) => pulses.tick(),
                _ => continue,
            }
            shows = true;
        }
        shows
    }

    /// Applies changes of the history.
    pub(crate) fn on_change(&mut self, changes: &Changes) {
        let is_news = changes.appended.is_some()
            || changes.everything
            || !changes.touched.is_empty()
            || !changes.loops.is_empty();
        if let Some(pane) = self.timeline().filter(|_| is_news) {
            pane.on_change();
        }
        if let Some(pane) = self.hooks() {
            pane.on_verified(&changes.verified);
        }
    }

    /// Returns the next requests of the windows.
    pub(crate) fn ask(&mut self) -> Vec<UiCommand<Effect>> {
        let asked = &mut self.hooks_asked;
        let ask = |window: &mut Modal| match window {
            Modal::Hooks(pane) => pane.ask(asked).map(Effect::Hooks),
            Modal::Timeline(pane) => pane.ask().map(Effect::Timeline),
            Modal::Faults(pane) => pane.ask().map(Effect::Faults),
            Modal::Pulses(pulses) => pulses.ask().map(Effect::Pulses),
            _ => None,
        };
        let asked = self.open.iter_mut().filter_map(ask);
        asked.map(UiCommand::Run).collect()
    }
}
