//! An object that is held because of a loop, let go.

use podtap_agent::AgentHandle;
use podtap_podio::ObjectRef;

use crate::error_text::error_text;

/// What is asked of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoopsEffect {
    /// Deliver this object's next events again.
    Release { object: ObjectRef },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum LoopsAnswer {
    /// To [`LoopsEffect::Release`].
    Released {
        object: ObjectRef,
        /// Whether it was held.
        result: Result<bool, String>,
    },
}

pub(crate) async fn run(effect: LoopsEffect, agent: &AgentHandle) -> LoopsAnswer {
    let LoopsEffect::Release { object } = effect;
    let result = agent.release(object).await.map_err(error_text);
    LoopsAnswer::Released { object, result }
}
