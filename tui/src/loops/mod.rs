//! Loops: the one that was found last, and objects that are held because of one.

mod effect;

use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::LoopFinding;

pub(crate) use effect::{LoopsAnswer, LoopsEffect, run};

use crate::command::UiCommand;
use crate::theme::Role;

/// How long a loop is shown after it was found.
const WARN_FOR: SignedDuration = SignedDuration::from_mins(2);

/// The loop that was found last, and until when it is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoopNotice {
    warning: Option<(LoopFinding, Timestamp)>,
}

impl LoopNotice {
    /// The loop that is shown now.
    pub(crate) fn warning(&self) -> Option<&LoopFinding> {
        self.warning.as_ref().map(|(found, _)| found)
    }

    /// These were found, the latest last.
    pub(crate) fn on_found(&mut self, found: &[LoopFinding], now: Timestamp) {
        if let Some(found) = found.last() {
            let until = now.saturating_add(WARN_FOR).unwrap_or(Timestamp::MAX);
            self.warning = Some((found.clone(), until));
        }
    }

    /// Takes away what was shown long enough; says whether anything was.
    pub(crate) fn tick(&mut self, now: Timestamp) -> bool {
        self.warning.take_if(|(_, until)| *until <= now).is_some()
    }
}

/// What came of letting an object go.
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
