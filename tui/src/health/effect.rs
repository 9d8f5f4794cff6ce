//! Measures the size of the history.

use podtap_agent::AgentHandle;
use podtap_agent::history::Filter;

/// A request from the health window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HealthEffect {
    /// Measures the size of the history.
    Measure,
}

/// The answer to the request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HealthAnswer {
    /// The answer to [`HealthEffect::Measure`].
    Measured {
        /// Bytes on the disk; `None` if they cannot be read.
        bytes: Option<u64>,
        /// Number of events; `None` if they cannot be counted.
        events: Option<u64>,
    },
}

pub(crate) async fn run(effect: HealthEffect, agent: &AgentHandle) -> HealthAnswer {
    let HealthEffect::Measure = effect;
    let history = agent.history().clone();
    let measured = tokio::task::spawn_blocking(move || history.bytes_on_disk());
    let bytes = measured.await.ok().and_then(Result::ok);
    let events = agent.history().count(Filter::default()).await.ok();
    HealthAnswer::Measured { bytes, events }
}
