//! Warns of the loop that was found last, and releases objects that are held because of a loop.

mod effect;

use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::LoopFinding;

pub(crate) use effect::{LoopsAnswer, LoopsEffect, run};

use crate::command::UiCommand;
use crate::theme::Role;

/// How long a loop is shown.
const WARN_FOR: SignedDuration = SignedDuration::from_mins(2);

/// The loop that was found last, and when its warning ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoopNotice {
    warning: Option<(LoopFinding, Timestamp)>,
}

impl LoopNotice {
    /// Returns the loop to warn about now.
    pub(crate) fn warning(&self) -> Option<&LoopFinding> {
        self.warning.as_ref().map(|(found, _)| found)
    }

    /// Shows the last of these loops, which is the latest.
    pub(crate) fn on_found(&mut self, found: &[LoopFinding], now: Timestamp) {
        if let Some(found) = found.last() {
            let until = now.saturating_add(WARN_FOR).unwrap_or(Timestamp::MAX);
            self.warning = Some((found.clone(), until));
        }
    }

    /// Removes a warning that was shown long enough. Returns whether it removed one.
    pub(crate) fn tick(&mut self, now: Timestamp) -> bool {
        self.warning.take_if(|(_, until)| *until <= now).is_some()
    }
}

/// Reports whether an object was released.
pub(crate) fn on_answer(answer: LoopsAnswer) -> UiCommand<LoopsEffect> {
    let LoopsAnswer::Released { object, result } = answer;
    match result {
        Ok(true) => {
            let text = format!("New events of {object} are delivered again");
            UiCommand::Notify(Role::Ok, text)
        }
        Ok(false) => {
            let text = format!("{object} is not in a loop: no event of it is held");
            UiCommand::Notify(Role::Quiet, text)
        }
        Err(error) => UiCommand::Notify(Role::Failed, error),
    }
}
