//! Reads an event to copy it, if the detail does not hold it.

use podtap_agent::history::Event;
use podtap_agent::{AgentHandle, EventId};

use super::CopyForm;
use crate::detail::read_event;

/// A request from the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CopyEffect {
    /// Reads an event to copy it in this form.
    Read { id: EventId, form: CopyForm },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum CopyAnswer {
    /// The answer to [`CopyEffect::Read`].
    Read {
        form: CopyForm,
        result: Result<Box<Event>, String>,
    },
}

pub(crate) async fn run(effect: CopyEffect, agent: &AgentHandle) -> CopyAnswer {
    let CopyEffect::Read { id, form } = effect;
    let result = read_event(agent.history(), id).await;
    CopyAnswer::Read { form, result }
}
