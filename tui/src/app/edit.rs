//! Editing an event: its file goes to the person's editor, and what comes back is shown as a
//! difference before it is sent.

use podtap_agent::EventId;
use podtap_agent::history::Event;

use super::App;
use crate::edit::EditEffect;
use crate::editor;
use crate::effect::Effect;
use crate::keymap::{Action, Context};
use crate::line::Line;
use crate::modal::{Deed, Modal};
use crate::theme::Role;
use crate::widget::lines::Lines;

impl App {
    /// Opens the selected event in the editor.
    pub(super) fn edit(&mut self, effects: &mut Vec<Effect>) {
        let Some(id) = self.list.selected().map(|row| row.id) else {
            return;
        };
        match self.opened_event(id) {
            Some(event) => Self::edit_event(event, effects),
            None => effects.push(Effect::Edit(EditEffect::Read { id })),
        }
    }

    /// An event was read to be edited.
    pub(super) fn read_to_edit(
        &mut self,
        result: Result<Box<Event>, String>,
        effects: &mut Vec<Effect>,
    ) {
        match result {
            Ok(event) => Self::edit_event(&event, effects),
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    /// Opens this event in the editor.
    fn edit_event(event: &Event, effects: &mut Vec<Effect>) {
        let (id, file) = (event.id, editor::write(&event.request));
        effects.push(Effect::OpenEditor {
            id,
            file: file.clone(),
            before: file,
        });
    }

    /// Opens what was edited once more.
    pub(super) fn edit_again(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Modal::Confirm(_, deed)) = self.modals.last()
            && let Deed::Send {
                id, before, file, ..
            } = deed.as_ref()
        {
            let (id, file, before) = (*id, file.clone(), before.clone());
            effects.push(Effect::OpenEditor { id, file, before });
            self.modals.pop();
        }
    }

    /// The editor has been left: shows what is different, and asks whether to send it.
    pub(super) fn edited(&mut self, id: EventId, before: String, result: Result<String, String>) {
        let parsed = result.and_then(|file| match editor::parse(&file) {
            Ok(edited) => Ok((file, edited)),
            Err(error) => Err(format!("nothing was sent: {error}")),
        });
        match parsed {
            Ok((file, Some(edited))) => {
                let mut lines = editor::difference(&before, &file);
                if lines.is_empty() {
                    lines.push(Line::of(Role::Quiet, "Nothing was changed."));
                }
                let hint = [
                    (Action::Accept, "sends"),
                    (Action::EditAgain, "edits again"),
                    (Action::Back, "leaves"),
                ];
                let hint = self.keymap().says(Context::Confirm, &hint);
                let lines = Lines::new("Replay this instead", hint, lines);
                let deed = Deed::Send {
                    id,
                    edited,
                    file,
                    before,
                };
                self.modals.push(Modal::Confirm(lines, Box::new(deed)));
            }
            Ok((_, None)) => self.toasts.show(Role::Quiet, "Nothing was sent", self.now),
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }
}
