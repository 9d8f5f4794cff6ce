//! Creates events that Podio did not send: the form for one, and the notice about its
//! outcome. `suggestions` computes the initial values of the fields, `more` parses parameters
//! that the catalogue does not have.

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

/// Returns a notice about the outcome of a triggered event.
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
