//! The values that the history holds, for the filter line to offer.

use podtap_agent::AgentHandle;

use super::complete::KnownValues;

/// A question of the filter line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SearchEffect {
    /// Find out what values the history holds.
    FindValues,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum SearchAnswer {
    /// To [`SearchEffect::FindValues`].
    Values(KnownValues),
}

/// Asks the history; what cannot be read costs only an offer.
pub(crate) async fn run(effect: SearchEffect, agent: &AgentHandle) -> SearchAnswer {
    let SearchEffect::FindValues = effect;
    let values = agent.history().values().await.unwrap_or_default();
    SearchAnswer::Values(KnownValues {
        types: values.types,
        hooks: values.hooks,
    })
}
