//! Counts the recent calls of each hook.

use podtap_agent::AgentHandle;
use podtap_agent::figures::Traffic;

use crate::error_text::error_text;

/// A request from the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PulsesEffect {
    /// Counts the calls of each hook.
    Count,
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum PulsesAnswer {
    /// The answer to [`PulsesEffect::Count`].
    Counted(Result<Box<Traffic>, String>),
}

pub(crate) async fn run(effect: PulsesEffect, agent: &AgentHandle) -> PulsesAnswer {
    let PulsesEffect::Count = effect;
    let counted = agent.traffic().await;
    PulsesAnswer::Counted(counted.map(Box::new).map_err(error_text))
}
