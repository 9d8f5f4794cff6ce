//! Creates an event that Podio did not send, and sends it to the local service.

use podtap_agent::{AgentHandle, Trigger, TriggerResult};

use crate::error_text::error_text;

/// A request from the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TriggerEffect {
    /// Creates an event and sends it to the local service.
    Trigger(Box<Trigger>),
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum TriggerAnswer {
    /// The answer to [`TriggerEffect::Trigger`].
    Triggered {
        /// The event and its attempt.
        result: Result<Box<TriggerResult>, String>,
    },
}

pub(crate) async fn run(effect: TriggerEffect, agent: &AgentHandle) -> TriggerAnswer {
    let TriggerEffect::Trigger(trigger) = effect;
    let result = agent.trigger(*trigger).await.map(Box::new);
    TriggerAnswer::Triggered {
        result: result.map_err(error_text),
    }
}
