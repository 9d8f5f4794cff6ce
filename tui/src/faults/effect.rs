//! Failed deliveries by their faults, asked of the history.

use podtap_agent::AgentHandle;
use podtap_agent::history::{Failures, Filter};

use crate::error_text::error_text;

/// A question of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultsEffect {
    /// Group the failed deliveries.
    Group,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum FaultsAnswer {
    /// To [`FaultsEffect::Group`].
    Grouped(Result<Box<Failures>, String>),
}

/// Asks the history.
pub(crate) async fn run(effect: FaultsEffect, agent: &AgentHandle) -> FaultsAnswer {
    let FaultsEffect::Group = effect;
    let grouped = agent.history().failures(Filter::default()).await;
    FaultsAnswer::Grouped(grouped.map(Box::new).map_err(error_text))
}
