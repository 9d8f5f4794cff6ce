//! `replay_event`: sends an event to the local service again.

use podtap_agent::NO_TARGET_YET;
use podtap_agent::compare::AnswerChange;
use podtap_agent::export::shown::ShownAttempt;
use podtap_agent::history::Outcome;
use podtap_agent::{Replay, Target};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{load, write};
use crate::answer::{TEXT_BYTES, ToolAnswer};
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Sends a captured event to the local service again and shows the answer. Only to this machine. Use it \
     after a change of the handler, to see whether it passes now.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayEventArguments {
    /// Id of the event, or its beginning or end.
    id: String,
    /// Port or URL on this machine, instead of where the event was delivered.
    #[serde(default)]
    to: Option<String>,
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: ReplayEventArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let to = arguments.to.as_deref().map(write::target).transpose()?;
    let handle = world.source.handle()?;
    let event = load(&handle, &arguments.id).await?;
    let targets: Vec<Target> = match to {
        Some(target) => vec![target],
        None => handle.targets_of(&event).await?,
    };
    if targets.is_empty() {
        return Err(ToolProblem::new(NO_TARGET_YET)
            .hint("use `to` with the port of the local service, such as 3000"));
    }
    write::on_this_machine(&targets)?;
    let mut attempts = Vec::with_capacity(targets.len());
    for target in targets {
        let replay = Replay {
            event: event.id,
            target: Some(target),
            edited: None,
        };
        let sent = handle.replay(replay).await;
        attempts
            .push(sent.map_err(|error| ToolProblem::because("the event cannot be sent", &error))?);
    }
    let outcomes = attempts.iter().map(|attempt| outcome(&attempt.outcome));
    let outcomes: Vec<String> = outcomes.collect();
    let words = format!("Event {} was sent: {}.", event.id, outcomes.join(", "));
    let all = handle.history().attempts(event.id).await?;
    let shown = attempts.iter().map(|attempt| {
        let change = AnswerChange::of(attempt, &all);
        ShownAttempt::new(attempt, TEXT_BYTES).with_change(change)
    });
    Ok(ToolAnswer::new(words).with_all(shown))
}

/// Returns the outcome in Podtap's own words.
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { status, .. } if *status < 400 => format!("answered {status}, passed"),
        Outcome::Answered { status, .. } => format!("answered {status}, failed"),
        Outcome::Failed { .. } => "no answer, failed".to_owned(),
    }
}
