//! What the agent knows of the way of a webhook, of the last hour, and of answer times.

use podtap_agent::AgentHandle;

use super::ShownFigures;

/// A question of the health window, and of the list while it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FiguresEffect {
    /// Look at all of it.
    Load,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum FiguresAnswer {
    /// To [`FiguresEffect::Load`].
    Loaded(Box<ShownFigures>),
}

/// Asks the agent; Podio is not asked.
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
