//! Writes a note to the history.

use podtap_agent::history::Position;
use podtap_agent::{AgentHandle, EventId};

use crate::error_text::error_text;

/// A request from the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotesEffect {
    /// Writes the note on an event, or removes it.
    Annotate {
        /// The position of the event.
        position: Position,
        id: EventId,
        /// The text of the note; empty to remove the note.
        note: String,
    },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum NotesAnswer {
    /// The answer to [`NotesEffect::Annotate`].
    Annotated {
        /// An error if the note could not be written.
        result: Result<(), String>,
    },
}

pub(crate) async fn run(effect: NotesEffect, agent: &AgentHandle) -> NotesAnswer {
    let NotesEffect::Annotate { position, id, note } = effect;
    let result = agent.annotate(position, id, Some(&note)).await;
    NotesAnswer::Annotated {
        result: result.map_err(error_text),
    }
}
