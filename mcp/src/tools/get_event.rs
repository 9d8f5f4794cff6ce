//! `get_event`: returns one complete event.

use podtap_agent::export::shown::ShownEvent;
use schemars::JsonSchema;
use serde::Deserialize;

use super::load;
use crate::answer::ToolAnswer;
use crate::arguments::within;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Shows one captured webhook: parameters, headers, body, and each attempt to deliver it with the \
     local service's answer (status, headers, body) or error.";

const MAX_BYTES: u32 = 65_536;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetEventArguments {
    /// Id of the event, or its beginning or end.
    id: String,
    /// Maximum bytes of each body.
    #[serde(default = "bytes")]
    #[schemars(range(min = 0, max = 65_536))]
    max_body_bytes: u32,
}

const fn bytes() -> u32 {
    4_096
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: GetEventArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let limit = within("max_body_bytes", arguments.max_body_bytes, 0, MAX_BYTES)?;
    let handle = world.source.handle()?;
    let event = load(&handle, &arguments.id).await?;
    let attempts = handle.history().attempts(event.id).await?;
    let explanation = handle.recall_explanation(&event).await?;
    let words = format!("Event {}, {} attempts.", event.id, attempts.len());
    let shown = ShownEvent::new(&event, &attempts, explanation.as_ref(), limit);
    Ok(ToolAnswer::new(words).with(&shown).text_bytes(limit))
}
