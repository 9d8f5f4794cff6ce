//! `list_hooks`: returns the hooks that Podio lists for the known places.

use podtap_agent::ManageHooksError;
use podtap_agent::hooks::ListedHookObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::answer::ToolAnswer;
use crate::context::ToolContext;
use crate::problem::{ASK_FOR_CREDENTIALS, ToolProblem};

pub(super) const TEXT: &str = "Lists the hooks of the known apps and spaces as Podio has them: status, event type, and whether \
     each URL leads to this tunnel. Costs one API call per app or space. Requires Podio credentials.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListHooksArguments {}

pub(super) async fn call(
    world: &ToolContext,
    _: ListHooksArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let handle = world.source.handle()?;
    let listing = handle.podio_hooks().await.map_err(|error| {
        let problem = ToolProblem::because("the hooks cannot be listed", &error);
        match error {
            ManageHooksError::NoCredentials => problem.hint(ASK_FOR_CREDENTIALS),
            ManageHooksError::RateLimitNear(_) => problem.hint("call again in an hour"),
            _ => problem,
        }
    })?;
    let mut words = format!(
        "{} hooks on {} apps and spaces.",
        listing.hooks.len(),
        listing.places.len()
    );
    if listing.places.is_empty() {
        words.push_str(" No app is known: set PODTAP_PODIO_APP_ID, or wait for a first event.");
    }
    if listing.left_out > 0 {
        words.push_str(&format!(" {} were not asked.", listing.left_out));
    }
    let failed = listing.failed.iter().map(|failed| {
        let place = failed.place.at.to_string();
        json!({ "place": place, "cannot_be_listed": failed.reason })
    });
    Ok(ToolAnswer::new(words)
        .with_all(listing.hooks.iter().map(ListedHookObject::from))
        .with_all(failed))
}
