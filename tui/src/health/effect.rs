//! How large the history is.

use podtap_agent::AgentHandle;
use podtap_agent::history::Filter;

/// A question of the health window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HealthEffect {
    /// See how large the history is.
    Measure,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HealthAnswer {
    /// To [`HealthEffect::Measure`].
    Measured {
        /// Bytes on the disk, where they can be read.
        bytes: Option<u64>,
        /// Events of the history, where they can be counted.
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
