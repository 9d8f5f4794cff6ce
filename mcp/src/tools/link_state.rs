//! `link_state`: returns whether webhooks can arrive.

use podtap_agent::export::shown::ShownStatus;
use podtap_agent::figures::Holds;
use podtap_agent::{LinkState, ServiceState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::answer::ToolAnswer;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Reports whether webhooks can arrive now: the agent's link to the \
     relay, the local service, queued events, and the way from Podio link by link, with what to do \
     about the first one that is broken. Makes no calls.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkStateArguments {}

pub(super) async fn call(
    world: &ToolContext,
    _: LinkStateArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let handle = world.source.handle()?;
    let status = handle.status().borrow().clone();
    let link = match status.link {
        LinkState::Off => "off: `podtap listen` is not running for this tunnel",
        LinkState::Connecting { .. } => "not connected to the relay, trying",
        LinkState::Up { .. } => "connected to the relay",
        LinkState::Stopped { .. } => "stopped",
    };
    let service = match status.service {
        ServiceState::Unknown => "unknown: nothing was sent yet",
        ServiceState::Up { .. } => "up",
        ServiceState::Down { .. } => "down",
    };
    let words = format!("Agent: {link}. Local service: {service}.");
    let chain = handle.why_quiet().await?;
    let way = chain.links.iter().map(|link| {
        let holds = match link.holds {
            Holds::Yes => Some(true),
            Holds::No => Some(false),
            Holds::Unknown => None,
        };
        let step = link.step.label();
        json!({ "step": step, "holds": holds, "reason": link.reason, "cure": link.cure })
    });
    Ok(ToolAnswer::new(words)
        .with(&ShownStatus::from(&status))
        .with_all(way))
}
