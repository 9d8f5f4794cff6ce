//! Hooks at Podio: listed with what the history knows of them, and changed.

use podtap_agent::AgentHandle;

use super::words;
use crate::effect::{Generation, HookChange};
use crate::message::Answer;

/// Podio's lists, and how each hook would stand: the second also without the first.
pub(super) async fn list(agent: &AgentHandle, generation: Generation) -> Answer {
    let (listing, standings) = tokio::join!(agent.podio_hooks(), agent.standings());
    Answer::Hooks {
        generation,
        listing: listing.map(Box::new).map_err(words),
        standings: standings.map_err(words),
    }
}

/// The hook that was changed.
pub(super) async fn change(agent: &AgentHandle, change: HookChange) -> Answer {
    let result = match &change {
        HookChange::Create { place, event, url } => agent.create_hook(*place, *event, url).await,
        HookChange::Verify { hook_id } => {
            let asked = agent.request_hook_verification(*hook_id).await;
            asked.map(|()| *hook_id)
        }
        HookChange::Delete { hook_id } => agent.delete_hook(*hook_id).await.map(|()| *hook_id),
    };
    let result = result.map_err(words);
    Answer::HookChanged { change, result }
}
