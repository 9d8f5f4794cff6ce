//! What each hook sent lately.

use podtap_agent::AgentHandle;
use podtap_agent::figures::Traffic;

use crate::error_text::error_text;

/// A question of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PulsesEffect {
    /// Count what each hook sent.
    Count,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum PulsesAnswer {
    /// To [`PulsesEffect::Count`].
    Counted(Result<Box<Traffic>, String>),
}

pub(crate) async fn run(effect: PulsesEffect, agent: &AgentHandle) -> PulsesAnswer {
    let PulsesEffect::Count = effect;
    let counted = agent.traffic().await;
    PulsesAnswer::Counted(counted.map(Box::new).map_err(error_text))
}
