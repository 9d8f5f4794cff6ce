//! The notes that a person writes on events.

mod effect;

use podtap_agent::EventId;
use podtap_agent::history::{EventRow, Position};

pub(crate) use effect::{NotesAnswer, NotesEffect, run};

use crate::command::UiCommand;
use crate::theme::Role;
use crate::widget::form::{Fields, Text, fields};
use crate::words;

/// The form for a note on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoteForm {
    position: Position,
    id: EventId,
    title: String,
    note: Text,
}

impl NoteForm {
    /// Creates the form for a note on this event.
    pub(crate) fn new(row: &EventRow) -> Self {
        let note = row.note.as_deref().unwrap_or_default();
        Self {
            position: row.position,
            id: row.id,
            title: format!("Note on {}", words::event(row)),
            note: Text::new("Note", note, ""),
        }
    }

    /// Returns the request that the form describes.
    pub(crate) fn read(&self) -> NotesEffect {
        NotesEffect::Annotate {
            position: self.position,
            id: self.id,
            note: self.note.text(),
        }
    }
}

impl Fields for NoteForm {
    fields!(note);

    fn title(&self) -> &str {
        &self.title
    }

    fn verb(&self) -> &'static str {
        "keep"
    }
}

/// Returns a notice if a note could not be written.
pub(crate) fn on_answer(answer: NotesAnswer) -> Option<UiCommand<NotesEffect>> {
    let NotesAnswer::Annotated { result } = answer;
    let error = result.err()?;
    Some(UiCommand::Notify(Role::Failed, error))
}
