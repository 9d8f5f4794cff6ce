//! Sends events to the local service again: chooses the events, asks for
//! confirmation, and reports the outcomes.

mod batch;
mod effect;
mod form;
mod start;
#[cfg(test)]
mod tests;

use podtap_agent::history::Outcome;
use podtap_agent::{EventId, Target};

pub(crate) use batch::ReplayBatch;
pub(crate) use effect::{ReplayAnswer, ReplayEffect, run};
pub(crate) use form::ReplayForm;
pub(crate) use start::{ReplayStart, Starter};

use crate::command::UiCommand;
use crate::detail::Detail;
use crate::event_name::event_name;
use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::list::List;
use crate::theme::Role;
use crate::widget::lines::Lines;
use crate::words;

/// The events to replay, oldest first, and how to replay them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayRequest {
    pub(crate) events: Vec<EventId>,
    /// The target, instead of the configured local service.
    pub(crate) target: Option<Target>,
    /// Number of events per second; `None` to replay as fast as they are answered.
    pub(crate) rate: Option<usize>,
}

/// The current batch of replays, if there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replays {
    batch: Option<ReplayBatch>,
}

impl Replays {
    /// Returns the current batch of replays, if there is one.
    pub(crate) fn batch(&self) -> Option<&ReplayBatch> {
        self.batch.as_ref()
    }

    /// Starts a batch. If one is running, returns a notice instead.
    pub(crate) fn start(&mut self, request: ReplayRequest) -> Option<UiCommand<ReplayEffect>> {
        if self.batch.is_some() {
            let text = "Other events are being replayed; wait for them, or stop them";
            return Some(UiCommand::notify(Role::Failed, text));
        }
        self.batch = Some(ReplayBatch::new(request));
        None
    }

    /// Returns the replays to start now.
    pub(crate) fn ask(&mut self) -> Vec<UiCommand<ReplayEffect>> {
        let next = self.batch.iter_mut().flat_map(ReplayBatch::next);
        next.map(UiCommand::Run).collect()
    }

    /// Handles a tick of the clock.
    pub(crate) fn tick(&mut self) {
        self.batch.iter_mut().for_each(ReplayBatch::tick);
    }

    /// Starts no more replays of the batch.
    pub(crate) fn stop(&mut self) -> Option<UiCommand<ReplayEffect>> {
        self.batch.as_mut()?.stop();
        self.progress()
    }

    /// Handles the end of a replay.
    pub(crate) fn on_answer(
        &mut self,
        answer: ReplayAnswer,
        list: &List,
        detail: &Detail,
    ) -> Option<UiCommand<ReplayEffect>> {
        let ReplayAnswer::Replayed { id, result } = answer;
        let status = match result.as_ref().map(|attempt| &attempt.outcome) {
            Ok(Outcome::Answered { status, .. }) => Some(*status),
            Ok(Outcome::Failed { .. }) | Err(_) => None,
        };
        if let Some(batch) = &mut self.batch
            && batch.end_one(id, status)
        {
            return self.progress();
        }
        let name = event_name(id, list, detail);
        let (role, text) = match result {
            Ok(attempt) => {
                let (role, outcome) = words::outcome_and_time(&attempt);
                (role, format!("Replayed {name}: {outcome}"))
            }
            Err(error) => (Role::Failed, format!("Cannot replay {name}: {error}")),
        };
        Some(UiCommand::Notify(role, text))
    }

    /// Returns a notice about the outcomes, once the batch is over.
    fn progress(&mut self) -> Option<UiCommand<ReplayEffect>> {
        let batch = self.batch.take_if(|batch| batch.is_over())?;
        let role = if batch.troubles() == 0 {
            Role::Ok
        } else {
            Role::Failed
        };
        let text = format!("Replayed: {}", batch.summary());
        Some(UiCommand::Notify(role, text))
    }

    /// Returns the question whether to quit while events are being replayed.
    pub(crate) fn quit_question(&self, keymap: &Keymap) -> Option<Lines> {
        let batch = self.batch()?;
        let rest = words::number(batch.total() - batch.ended_count());
        let of = words::number(batch.total());
        let lines = vec![
            Line::of(
                Role::Plain,
                format!("{rest} of {of} events have not been sent again yet."),
            ),
            Line::of(Role::Plain, "Quit without them?"),
        ];
        let hint = [(Action::Accept, "quits"), (Action::Back, "stays")];
        let hint = keymap.hints(Context::Confirm, &hint);
        Some(Lines::new("Quit", hint, lines))
    }
}
