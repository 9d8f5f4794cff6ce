//! `explain_event`: returns what Podio knows about an event.

use podtap_agent::ExplainError;
use podtap_agent::export::json::ExplanationObject;
use schemars::JsonSchema;
use serde::Deserialize;

use super::find;
use crate::answer::ToolAnswer;
use crate::context::ToolContext;
use crate::problem::{ASK_FOR_CREDENTIALS, ToolProblem};

pub(super) const TEXT: &str = "Asks Podio what an event is about: title, app, who made the change through which API client, and \
     what changed, field by field. Costs up to three API calls the first time. Requires Podio credentials.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainEventArguments {
    /// Id of the event, or its beginning or end.
    id: String,
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: ExplainEventArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let handle = world.source.handle()?;
    let id = find(handle.history(), &arguments.id).await?;
    let explained = handle.explain(id).await.map_err(|error| {
        let problem = ToolProblem::because("the event cannot be explained", &error);
        match error {
            ExplainError::NoCredentials => problem.hint(ASK_FOR_CREDENTIALS),
            ExplainError::NotPodio => problem.hint("get_event shows what was received"),
            ExplainError::RateLimitNear { .. } => problem.hint("call again in an hour"),
            _ => problem,
        }
    })?;
    let changes = explained.changes.len();
    let words = format!("Event {id}: {changes} fields changed.");
    Ok(ToolAnswer::new(words).with(&ExplanationObject::new(id, &explained)))
}
