//! What arrived, counted by the history.

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_agent::history::{Arrivals, Position};

use crate::error_text::error_text;

/// A question of the rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RateEffect {
    /// Count what the tunnel brought.
    CountArrivals {
        /// After this place,
        after: Option<Position>,
        /// or, where that is not known, since this time.
        since: Timestamp,
    },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum RateAnswer {
    /// To [`RateEffect::CountArrivals`].
    Arrivals { result: Result<Arrivals, String> },
}

pub(crate) async fn run(effect: RateEffect, agent: &AgentHandle) -> RateAnswer {
    let RateEffect::CountArrivals { after, since } = effect;
    let result = agent.history().arrivals(after, since).await;
    RateAnswer::Arrivals {
        result: result.map_err(error_text),
    }
}
