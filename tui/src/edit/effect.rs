//! An event that the detail does not hold, read to be edited.

use podtap_agent::history::Event;
use podtap_agent::{AgentHandle, EventId};

use crate::detail::read_event;

/// A question of editing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EditEffect {
    /// Read an event to edit it.
    Read { id: EventId },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum EditAnswer {
    /// To [`EditEffect::Read`].
    Read { result: Result<Box<Event>, String> },
    /// To [`crate::effect::Effect::OpenEditor`].
    Edited {
        id: EventId,
        /// The file of the event as it came.
        before: String,
        /// What is in the file now.
        result: Result<String, String>,
    },
}

pub(crate) async fn run(effect: EditEffect, agent: &AgentHandle) -> EditAnswer {
    let EditEffect::Read { id } = effect;
    let result = read_event(agent.history(), id).await;
    EditAnswer::Read { result }
}
