//! Releases an object that is held because of a loop.

use podtap_agent::AgentHandle;
use podtap_podio::ObjectRef;

use crate::error_text::error_text;

/// A request to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoopsEffect {
    /// Delivers the next events of this object again.
    Release { object: ObjectRef },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum LoopsAnswer {
    /// The answer to [`LoopsEffect::Release`].
    Released {
        object: ObjectRef,
        /// Whether the object was held.
        result: Result<bool, String>,
    },
}

pub(crate) async fn run(effect: LoopsEffect, agent: &AgentHandle) -> LoopsAnswer {
    let LoopsEffect::Release { object } = effect;
    let result = agent.release(object).await.map_err(error_text);
    LoopsAnswer::Released { object, result }
}
