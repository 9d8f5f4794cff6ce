//! An event that the detail does not hold, read to be copied.

use podtap_agent::history::Event;
use podtap_agent::{AgentHandle, EventId};

use super::CopyForm;
use crate::detail::read_event;

/// A question of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CopyEffect {
    /// Read an event to copy it in this form.
    Read { id: EventId, form: CopyForm },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum CopyAnswer {
    /// To [`CopyEffect::Read`].
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
