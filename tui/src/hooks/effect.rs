//! Lists and changes the hooks at Podio, and reads what the history knows about them.

use podtap_agent::{AgentHandle, HookListing, HookStanding, PlaceRef};
use podtap_podio::EventType;

use crate::error_text::error_text;
use crate::generation::Generation;

/// A request from the pane to Podio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HooksEffect {
    /// Lists the hooks at Podio, and computes the standing of each.
    LoadHooks {
        /// The number of the request.
        generation: Generation,
    },
    /// Asks Podio to create, verify or delete a hook.
    ChangeHook(HookChange),
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) enum HooksAnswer {
    /// The answer to [`HooksEffect::LoadHooks`].
    Hooks {
        generation: Generation,
        /// The hooks at Podio.
        listing: Result<Box<HookListing>, String>,
        /// The standings of all hooks that called in the last week.
        standings: Result<Vec<HookStanding>, String>,
    },
    /// The answer to [`HooksEffect::ChangeHook`].
    HookChanged {
        change: HookChange,
        result: Result<u64, String>,
    },
}

/// A change of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HookChange {
    /// Creates a hook.
    Create {
        place: PlaceRef,
        event: EventType,
        /// The URL that the hook calls.
        url: String,
    },
    /// Requests another `hook.verify`.
    Verify { hook_id: u64 },
    /// Deletes the hook at Podio.
    Delete { hook_id: u64 },
}

pub(crate) async fn run(effect: HooksEffect, agent: &AgentHandle) -> HooksAnswer {
    match effect {
        HooksEffect::LoadHooks { generation } => list(agent, generation).await,
        HooksEffect::ChangeHook(change) => apply(agent, change).await,
    }
}

/// Lists the hooks at Podio and the standings of the hooks. The standings
/// do not depend on Podio's answer.
async fn list(agent: &AgentHandle, generation: Generation) -> HooksAnswer {
    let (listing, standings) = tokio::join!(agent.podio_hooks(), agent.standings());
    HooksAnswer::Hooks {
        generation,
        listing: listing.map(Box::new).map_err(error_text),
        standings: standings.map_err(error_text),
    }
}

/// Asks Podio for a change.
async fn apply(agent: &AgentHandle, change: HookChange) -> HooksAnswer {
    let result = match &change {
        HookChange::Create { place, event, url } => agent.create_hook(*place, *event, url).await,
        HookChange::Verify { hook_id } => {
            let asked = agent.request_hook_verification(*hook_id).await;
            asked.map(|()| *hook_id)
        }
        HookChange::Delete { hook_id } => agent.delete_hook(*hook_id).await.map(|()| *hook_id),
    };
    let result = result.map_err(error_text);
    HooksAnswer::HookChanged { change, result }
}
