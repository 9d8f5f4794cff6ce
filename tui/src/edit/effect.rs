//! Reads an event to edit it, if the detail does not hold it.

use podtap_agent::history::Event;
use podtap_agent::{AgentHandle, EventId};

use crate::detail::read_event;

/// A request to edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EditEffect {
    /// Reads an event to edit it.
    Read { id: EventId },
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) enum EditAnswer {
    /// The answer to [`EditEffect::Read`].
    Read { result: Result<Box<Event>, String> },
    /// The answer to [`crate::effect::Effect::OpenEditor`].
    Edited {
        id: EventId,
        /// The text of the file with the event as received.
        before: String,
        /// The text of the file after editing.
        result: Result<String, String>,
    },
}

pub(crate) async fn run(effect: EditEffect, agent: &AgentHandle) -> EditAnswer {
    let EditEffect::Read { id } = effect;
    let result = read_event(agent.history(), id).await;
    EditAnswer::Read { result }
}
