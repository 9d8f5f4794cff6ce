//! Asks the agent for the path of a webhook, the last hour, answer times, and Podio's calls.

use podtap_agent::AgentHandle;

use super::ShownFigures;

/// A request from the health window, or from the list while it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FiguresEffect {
    /// Reads all figures.
    Load,
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum FiguresAnswer {
    /// The answer to [`FiguresEffect::Load`].
    Loaded(Box<ShownFigures>),
}

/// Asks the agent, which does not ask Podio.
pub(crate) async fn run(effect: FiguresEffect, agent: &AgentHandle) -> FiguresAnswer {
    let FiguresEffect::Load = effect;
    let (chain, times, budget) =
        tokio::join!(agent.why_quiet(), agent.answer_times(), agent.api_budget());
    FiguresAnswer::Loaded(Box::new(ShownFigures {
        chain: chain.ok(),
        times: times.ok(),
        hour: agent.past_hour(),
        budget,
    }))
}
