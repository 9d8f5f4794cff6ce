//! Shows what Podio knows about an event, and opens the page of the event's object. Podio is asked
//! only when a person requests it, because each question uses up some of the hourly calls.

mod browser;
mod effect;
mod page;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use podtap_agent::{EventId, Explanation};

pub(crate) use effect::{ExplainAnswer, ExplainEffect, run};

use crate::command::{Slot, UiCommand};
use crate::detail::explanation_lines;
use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::theme::Role;

/// The current question to Podio, if there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Explain {
    /// The event that Podio is being asked about, and since when.
    asking: Option<(EventId, Timestamp)>,
}

/// What to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExplainUpdate {
    Do(Vec<UiCommand<ExplainEffect>>),
    /// Shows these lines about an event.
    Show(EventId, Vec<Line>),
}

impl Explain {
    /// Asks Podio what an event was about, unless that is already being asked. Replaces
    /// the question about another event.
    pub(crate) fn ask(&mut self, id: EventId, now: Timestamp) -> Option<ExplainEffect> {
        if self.asking.is_some_and(|(asked, _)| asked == id) {
            return None;
        }
        self.asking = Some((id, now));
        Some(ExplainEffect::Explain { id })
    }

    /// Returns whether Podio is being asked.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Returns the number of seconds for which Podio has been asked about this event.
    pub(crate) fn seconds(&self, id: EventId, now: Timestamp) -> Option<i64> {
        let (_, since) = self.asking.filter(|(asked, _)| *asked == id)?;
        Some(now.duration_since(since).as_secs().max(0))
    }

    /// Stops waiting for Podio's answer. Returns `None` if Podio is not being asked.
    pub(crate) fn stop(&mut self) -> Option<[UiCommand<ExplainEffect>; 2]> {
        self.asking.take()?;
        Some([
            UiCommand::Stop(Slot::Explanation),
            UiCommand::notify(Role::Quiet, "Podio is no longer asked"),
        ])
    }

    /// Handles an answer. `is_remote` is whether the person works from another machine.
    pub(crate) fn on_answer(
        &mut self,
        answer: ExplainAnswer,
        keymap: &Keymap,
        is_remote: bool,
    ) -> ExplainUpdate {
        match answer {
            ExplainAnswer::Explained { id, result } => {
                let lines = self.show_answer(id, result, keymap);
                ExplainUpdate::Show(id, lines)
            }
            ExplainAnswer::Link { result } => ExplainUpdate::Do(page::open(result, is_remote)),
            ExplainAnswer::Browsed { result } => {
                let error = result.err();
                let failed = error.map(|error| UiCommand::Notify(Role::Failed, error));
                ExplainUpdate::Do(failed.into_iter().collect())
            }
        }
    }

    /// Handles the end of a question and returns the lines to show.
    fn show_answer(
        &mut self,
        id: EventId,
        result: Result<Box<Explanation>, String>,
        keymap: &Keymap,
    ) -> Vec<Line> {
        self.asking = self.asking.filter(|(asked, _)| *asked != id);
        match result {
            Ok(explanation) => explanation_lines(&explanation),
            Err(error) => {
                let again = keymap.hints(Context::Browse, &[(Action::Explain, "asks again")]);
                vec![Line::of(Role::Failed, error), Line::of(Role::Quiet, again)]
            }
        }
    }
}
