//! An event that Podio did not send, sent to the local service.

use podtap_agent::{AgentHandle, Trigger, Triggered};

use crate::error_text::error_text;

/// What the form asks of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TriggerEffect {
    /// Send an event that Podio did not send to the local service.
    Trigger(Box<Trigger>),
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum TriggerAnswer {
    /// To [`TriggerEffect::Trigger`].
    Triggered {
        /// The event and its attempt.
        result: Result<Box<Triggered>, String>,
    },
}

pub(crate) async fn run(effect: TriggerEffect, agent: &AgentHandle) -> TriggerAnswer {
    let TriggerEffect::Trigger(trigger) = effect;
    let result = agent.trigger(*trigger).await.map(Box::new);
    TriggerAnswer::Triggered {
        result: result.map_err(error_text),
    }
}
