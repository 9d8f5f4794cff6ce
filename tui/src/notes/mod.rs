//! What a person writes on an event.

mod effect;

use podtap_agent::EventId;
use podtap_agent::history::{EventRow, Position};

pub(crate) use effect::{NotesAnswer, NotesEffect, run};

use crate::widget::form::{Field, FieldName, Form};
use crate::words;

/// The form's field.
const NOTE: FieldName = FieldName("note");

/// The event that an open form is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotedEvent {
    position: Position,
    id: EventId,
}

impl NotedEvent {
    /// A form that asks what to write on this event.
    pub(crate) fn form(row: &EventRow) -> (Form, Self) {
        let note = row.note.as_deref().unwrap_or_default();
        let field = Field::text(NOTE, "Note", note, "");
        let title = format!("Note on {}", words::event(row));
        let (position, id) = (row.position, row.id);
        (Form::new(title, "keep", vec![field]), Self { position, id })
    }

    /// What the form asks for.
    pub(crate) fn read(self, form: &Form) -> NotesEffect {
        NotesEffect::Annotate {
            position: self.position,
            id: self.id,
            note: form.text(NOTE),
        }
    }
}
