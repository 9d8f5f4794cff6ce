//! Counts the arrivals in the history.

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_agent::history::{Arrivals, Position};

use crate::error_text::error_text;

/// A request for the rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RateEffect {
    /// Counts the events that arrived through the tunnel.
    CountArrivals {
        /// The position after which to count,
        after: Option<Position>,
        /// or, if it is not known, the time from which to count.
        since: Timestamp,
    },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum RateAnswer {
    /// The answer to [`RateEffect::CountArrivals`].
    Arrivals { result: Result<Arrivals, String> },
}

pub(crate) async fn run(effect: RateEffect, agent: &AgentHandle) -> RateAnswer {
    let RateEffect::CountArrivals { after, since } = effect;
    let result = agent.history().arrivals(after, since).await;
    RateAnswer::Arrivals {
        result: result.map_err(error_text),
    }
}
