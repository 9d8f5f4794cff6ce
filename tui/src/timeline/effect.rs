//! Reads what happened to one object.

use podtap_agent::AgentHandle;
use podtap_agent::figures::{Timeline, TimelineEntry};
use podtap_podio::ObjectRef;

use crate::error_text::error_text;

/// A request from the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimelineEffect {
    /// Reads what happened to this object, and lets the agent ask Podio for the authors.
    Load(ObjectRef),
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum TimelineAnswer {
    /// The answer to [`TimelineEffect::Load`].
    Loaded {
        object: ObjectRef,
        /// What happened to the object.
        result: Result<Box<Timeline>, String>,
    },
}

/// Asks the agent. The agent asks Podio only if its budget of calls allows that.
pub(crate) async fn run(effect: TimelineEffect, agent: &AgentHandle) -> TimelineAnswer {
    let TimelineEffect::Load(object) = effect;
    let result = agent.timeline(object).await;
    if let Ok(timeline) = &result {
        let unknown = timeline
            .entries
            .iter()
            .rev()
            .filter_map(|entry| match entry {
                TimelineEntry::Event(event) if event.author.is_none() => Some(event.row.id),
                TimelineEntry::Event(_) | TimelineEntry::Missing { .. } => None,
            });
        agent.ask_ahead(unknown);
    }
    let result = result.map(Box::new).map_err(error_text);
    TimelineAnswer::Loaded { object, result }
}
