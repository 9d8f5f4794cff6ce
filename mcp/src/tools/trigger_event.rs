//! `trigger_event`: creates an event that Podio did not send, and sends it to the local service.

use std::collections::BTreeMap;

use podtap_agent::Trigger;
use podtap_agent::draft::{Draft, nearest};
use podtap_agent::export::shown::ShownAttempt;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{replay_event, write};
use crate::answer::{TEXT_BYTES, ToolAnswer};
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Sends an event of your own to the local service, as Podio would, and shows the answer. Only to this \
     machine; Podio is not called. It is kept in the history.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerEventArguments {
    /// Event type of Podio, such as item.update.
    event: String,
    /// Parameters to add or replace, such as `{"item_id": "4711"}`. Values are strings.
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// Port or URL on this machine, instead of the local service of the running agent.
    #[serde(default)]
    to: Option<String>,
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: TriggerEventArguments,
) -> Result<ToolAnswer, ToolProblem> {
    if let Some(near) = nearest(&arguments.event)
        && near.as_str() != arguments.event
    {
        let problem = ToolProblem::new("this is not an event type of Podio");
        return Err(problem.hint(format!("did you mean {}?", near.as_str())));
    }
    let to = arguments.to.as_deref().map(write::target).transpose()?;
    let handle = world.source.handle()?;
    let targets = match &to {
        Some(target) => vec![target.clone()],
        None => handle.status().borrow().routes.targets().to_vec(),
    };
    if targets.is_empty() {
        return Err(ToolProblem::new("no local service is known").hint(
            "use `to` with its port, such as 3000, or ask the user to start `podtap listen 3000`",
        ));
    }
    write::on_this_machine(&targets)?;
    let params = arguments.params.into_iter().collect();
    let draft = Draft::of_type(&arguments.event, params, fastrand::u64(..));
    let trigger = Trigger {
        request: draft.request,
        target: to,
    };
    let sent = handle.trigger(trigger).await;
    let sent = sent.map_err(|error| ToolProblem::because("the event cannot be sent", &error))?;
    let outcome = replay_event::outcome(&sent.attempt.outcome);
    let words = format!("Event {} was sent: {outcome}.", sent.event);
    Ok(ToolAnswer::new(words).with(&ShownAttempt::new(&sent.attempt, TEXT_BYTES)))
}
