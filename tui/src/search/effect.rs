//! Reads the values that occur in the history, which the filter line offers.

use podtap_agent::AgentHandle;

use super::complete::KnownValues;

/// A request from the filter line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SearchEffect {
    /// Reads the values that occur in the history.
    FindValues,
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum SearchAnswer {
    /// The answer to [`SearchEffect::FindValues`].
    Values(KnownValues),
}

/// Asks the history. If it cannot be read, nothing is offered.
pub(crate) async fn run(effect: SearchEffect, agent: &AgentHandle) -> SearchAnswer {
    let SearchEffect::FindValues = effect;
    let values = agent.history().values().await.unwrap_or_default();
    SearchAnswer::Values(KnownValues {
        types: values.types,
        hooks: values.hooks,
    })
}
