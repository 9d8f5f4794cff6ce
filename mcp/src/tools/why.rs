//! `why`: explains why an event arrived, or why it did not.

use podtap_agent::why::ITEM_NOT_FOUND;
use podtap_agent::why::{FindItemError, NoSubject, WhyObject, WhyQuestion};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::ToolAnswer;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Finds out why an event arrived, or why it did not: checks the change in Podio, its hooks, the relay, the \
     agent and the local service, link by link. Costs up to two API calls, and one per known app or space; works in part \
     without Podio credentials.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhyArguments {
    /// An object (`item:4711`, `task:9`), a hook (`hook:90211`), an event type (`item.update`), or the URL of an
    /// item in Podio.
    subject: String,
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: WhyArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let asked = WhyQuestion::parse(&arguments.subject).map_err(|error| {
        let problem = ToolProblem::new(error.to_string());
        match error {
            NoSubject::Link => problem.hint("use the item's id: item:ID"),
            _ => problem.hint("write item:4711, hook:90211 or item.update"),
        }
    })?;
    let handle = world.source.handle()?;
    let subject = match asked {
        WhyQuestion::Subject(subject) => subject,
        WhyQuestion::Page(page) => handle.find_item(&page).await.map_err(|error| {
            let problem = ToolProblem::because(ITEM_NOT_FOUND, &error);
            match error {
                FindItemError::RateLimitNear(_) => problem.hint("call again in an hour"),
                _ => problem.hint("use the item's id: item:ID"),
            }
        })?,
    };
    let answer = handle.why(subject).await?;
    let words = format!("Cause: {}.", answer.cause.word());
    Ok(ToolAnswer::new(words).with(&WhyObject::from(&answer)))
}
