//! Reads the failed deliveries from the history, grouped by fault.

use podtap_agent::AgentHandle;
use podtap_agent::history::{Failures, Filter};

use crate::error_text::error_text;

/// A request from the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultsEffect {
    /// Groups the failed deliveries.
    Group,
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum FaultsAnswer {
    /// The answer to [`FaultsEffect::Group`].
    Grouped(Result<Box<Failures>, String>),
}

/// Reads the groups from the history.
pub(crate) async fn run(effect: FaultsEffect, agent: &AgentHandle) -> FaultsAnswer {
    let FaultsEffect::Group = effect;
    let grouped = agent.history().failures(Filter::default()).await;
    FaultsAnswer::Grouped(grouped.map(Box::new).map_err(error_text))
}
