//! Sends an event to the local service again.

use podtap_agent::history::{Attempt, EditedRequest};
use podtap_agent::{AgentHandle, EventId, Replay, Target};

use crate::error_text::error_text;

/// A request to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplayEffect {
    /// Sends an event to the local service again.
    Replay {
        id: EventId,
        /// The target, instead of the configured local service.
        target: Option<Target>,
        /// The request to send, instead of the event as received.
        edited: Option<Box<EditedRequest>>,
    },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum ReplayAnswer {
    /// The answer to [`ReplayEffect::Replay`].
    Replayed {
        id: EventId,
        result: Result<Box<Attempt>, String>,
    },
}

/// Asks the agent for the replay. If `too_many` replays are running, answers with an error instead.
pub(crate) async fn run(effect: ReplayEffect, agent: &AgentHandle, too_many: bool) -> ReplayAnswer {
    let ReplayEffect::Replay { id, target, edited } = effect;
    if too_many {
        let result = Err("too many replays are under way".to_owned());
        return ReplayAnswer::Replayed { id, result };
    }
    let target = match target {
        None => earlier_target(agent, id).await,
        target => target,
    };
    let replay = Replay {
        event: id,
        target,
        edited: edited.map(|edited| *edited),
    };
    let result = agent.replay(replay).await.map(Box::new);
    ReplayAnswer::Replayed {
        id,
        result: result.map_err(error_text),
    }
}

/// Returns the target of an event's first attempt, which a replay uses if
/// no local service is configured.
async fn earlier_target(agent: &AgentHandle, id: EventId) -> Option<Target> {
    if agent.status().borrow().target.is_some() {
        return None;
    }
    let event = agent.history().event(id).await.ok()??;
    let attempts = agent.history().attempts(id).await.ok()?;
    Target::of_attempt(&attempts.first()?.url, &event.request.path)
}
