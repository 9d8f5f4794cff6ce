//! What a person writes on an event.

use podtap_agent::EventId;
use podtap_agent::history::Position;

use super::App;
use crate::effect::Effect;
use crate::modal::{Modal, Purpose};
use crate::notes::NotesEffect;
use crate::theme::Role;
use crate::widget::form::{Field, FieldName, Form};
use crate::words;

/// The form's field.
const NOTE: FieldName = FieldName("note");

impl App {
    /// Asks what to write on the selected event.
    pub(super) fn write_note(&mut self) {
        let Some(row) = self.list.selected() else {
            return;
        };
        let note = row.note.as_deref().unwrap_or_default();
        let field = Field::text(NOTE, "Note", note, "");
        let form = Form::new(
            format!("Note on {}", words::event(row)),
            "keep",
            vec![field],
        );
        let (position, id) = (row.position, row.id);
        let purpose = Box::new(Purpose::Note { position, id });
        self.modals.push(Modal::Form(form, purpose));
    }

    /// The note was written.
    pub(super) fn note_as_filled(
        form: &Form,
        position: Position,
        id: EventId,
        effects: &mut Vec<Effect>,
    ) {
        let note = form.text(NOTE);
        effects.push(Effect::Notes(NotesEffect::Annotate { position, id, note }));
    }

    /// The note is kept, or could not be. What is kept is seen in the list by itself.
    pub(super) fn annotated(&mut self, result: Result<(), String>) {
        if let Err(error) = result {
            self.toasts.show(Role::Failed, error, self.now);
        }
    }
}
