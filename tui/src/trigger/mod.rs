//! Events that Podio did not send: a form for one, and what came of it. `suggestions` says what the
//! fields hold at first, `more` reads parameters beyond the catalogue.

mod effect;
mod form;
mod more;
#[cfg(test)]
mod scenes;
mod suggestions;
#[cfg(test)]
mod tests;

pub(crate) use effect::{TriggerAnswer, TriggerEffect, run};
pub(crate) use form::TriggerForm;
pub(crate) use suggestions::LastSent;

use crate::command::UiCommand;
use crate::theme::Role;
use crate::words;

/// What came of a triggered event.
pub(crate) fn on_answer(answer: TriggerAnswer) -> UiCommand<TriggerEffect> {
    let TriggerAnswer::Triggered { result } = answer;
    match result {
        Ok(triggered) => {
            let (role, outcome) = words::outcome_and_time(&triggered.attempt);
            let id = words::short_id(triggered.event);
            UiCommand::Notify(role, format!("Sent {id}: {outcome}"))
        }
        Err(error) => UiCommand::Notify(Role::Failed, format!("Cannot send it: {error}")),
    }
}
