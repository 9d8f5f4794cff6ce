//! A note, written into the history.

use podtap_agent::history::Position;
use podtap_agent::{AgentHandle, EventId};

use crate::error_text::error_text;

/// What the form asks of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotesEffect {
    /// Write a note on an event, or take it away.
    Annotate {
        /// Where the event is.
        position: Position,
        id: EventId,
        /// What to write; empty to take away what is there.
        note: String,
    },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum NotesAnswer {
    /// To [`NotesEffect::Annotate`].
    Annotated {
        /// Whether it could be written.
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
