//! Hooks at Podio: listed with what the history knows of them, and changed.

use podtap_agent::{AgentHandle, HookListing, HookStanding, PlaceRef};
use podtap_podio::EventType;

use crate::error_text::error_text;
use crate::generation::Generation;

/// What the pane asks of Podio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HooksEffect {
    /// Read the hooks as Podio has them, and how each would stand.
    LoadHooks {
        /// Which question this is.
        generation: Generation,
    },
    /// Ask Podio to make, verify or delete a hook.
    ChangeHook(HookChange),
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum HooksAnswer {
    /// To [`HooksEffect::LoadHooks`].
    Hooks {
        generation: Generation,
        /// The hooks as Podio has them.
        listing: Result<Box<HookListing>, String>,
        /// Every hook of the last week.
        standings: Result<Vec<HookStanding>, String>,
    },
    /// To [`HooksEffect::ChangeHook`].
    HookChanged {
        change: HookChange,
        result: Result<u64, String>,
    },
}

/// What is to become of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HookChange {
    /// It is to be made.
    Create {
        place: PlaceRef,
        event: EventType,
        /// Where it leads.
        url: String,
    },
    /// It is to get another `hook.verify`.
    Verify { hook_id: u64 },
    /// It is to go.
    Delete { hook_id: u64 },
}

pub(crate) async fn run(effect: HooksEffect, agent: &AgentHandle) -> HooksAnswer {
    match effect {
        HooksEffect::LoadHooks { generation } => list(agent, generation).await,
        HooksEffect::ChangeHook(change) => apply(agent, change).await,
    }
}

/// Podio's lists, and how each hook would stand: the second also without the first.
async fn list(agent: &AgentHandle, generation: Generation) -> HooksAnswer {
    let (listing, standings) = tokio::join!(agent.podio_hooks(), agent.standings());
    HooksAnswer::Hooks {
        generation,
        listing: listing.map(Box::new).map_err(error_text),
        standings: standings.map_err(error_text),
    }
}

/// Asks for a change.
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
