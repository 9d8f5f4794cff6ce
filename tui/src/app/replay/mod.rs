//! Replays: of the selected event, of all that are marked, of an edited copy; and what came of
//! them.

use podtap_agent::history::{Attempt, Filter, Outcome, Position};
use podtap_agent::{EventId, Target};

use super::App;
use crate::batch::Batch;
use crate::changes::Changes;
use crate::effect::Effect;
use crate::event_name::event_name;
use crate::keymap::{Action, Context};
use crate::layout::Pane;
use crate::line::Line;
use crate::list::EventChoice;
use crate::list::FindPurpose;
use crate::list::ListEffect;
use crate::list::marks::MOST_MARKS;
use crate::modal::{Modal, PendingAction, Purpose};
use crate::replay::ReplayEffect;
use crate::theme::Role;
use crate::widget::form::{Field, FieldName, Form, optional};
use crate::widget::lines::Lines;
use crate::words;

/// The form's fields.
const EVENTS: FieldName = FieldName("events");
const TARGET: FieldName = FieldName("target");
const RATE: FieldName = FieldName("rate");

impl App {
    /// Replays what is open; in the list the selected event or burst, or asks whether all that are
    /// marked shall be.
    pub(super) fn replay(&mut self) {
        if self.list.range().is_some() {
            let ends = self.list.range_ends();
            self.mark_range();
            if ends.is_some() {
                return;
            }
        }
        let marked = self.list.marked();
        if marked.is_empty() || self.has_focus(Pane::Detail) {
            return self.replay_selected();
        }
        let what = match marked.as_slice() {
            [only] => event_name(*only, &self.list, &self.detail),
            several => {
                let many = u64::try_from(several.len()).unwrap_or(u64::MAX);
                words::count(many, "marked event")
            }
        };
        self.ask_to_replay(&what, None, marked, None, None);
    }

    fn replay_selected(&mut self) {
        let Some(row) = self.list.selected() else {
            return;
        };
        self.effects.push(match &row.burst {
            Some(burst) => Effect::List(ListEffect::FindAll {
                filter: Filter::between(burst.first, burst.last),
                most: MOST_MARKS,
                wanted: FindPurpose::Replay {
                    of: Some(words::burst(row)),
                    asks: true,
                    target: None,
                    rate: None,
                },
            }),
            None => Effect::Replay(ReplayEffect::Replay {
                id: row.id,
                target: None,
                edited: None,
            }),
        });
    }

    /// Asks whether these shall be replayed, as soon as nothing else is open.
    fn ask_to_replay(
        &mut self,
        what: &str,
        of: Option<String>,
        events: Vec<EventId>,
        target: Option<Target>,
        rate: Option<usize>,
    ) {
        let order = if events.len() > 1 {
            ", oldest first"
        } else {
            ""
        };
        let to = target.as_ref().or(self.status.target.as_ref());
        let to = to.map_or_else(|| "where each went first".to_owned(), ToString::to_string);
        let mut lines = vec![Line::of(Role::Plain, format!("Send {what} again{order}?"))];
        lines.extend(of.map(|of| Line::of(Role::Quiet, "of ").put(Role::Plain, of)));
        lines.push(Line::of(Role::Quiet, "to ").put(Role::Plain, to));
        lines.extend(rate.map(|rate| Line::of(Role::Quiet, format!("{rate} a second"))));
        let hint = [(Action::Accept, "sends"), (Action::Back, "leaves")];
        let hint = self.keymap().says(Context::Confirm, &hint);
        let lines = Lines::new("Replay", hint, lines);
        let pending = PendingAction::ReplayAll {
            events,
            target,
            rate,
        };
        self.waiting = Some(Modal::Confirm(lines, Box::new(pending)));
    }

    /// Asks what waits to be asked, unless a key that is on its way may be meant for something
    /// else; says whether it was.
    pub(super) fn ask_what_waits(&mut self) -> bool {
        if !self.modals.is_empty() || self.is_typing() {
            return false;
        }
        let asked = self.waiting.take();
        let is_asked = asked.is_some();
        self.modals.extend(asked);
        is_asked
    }

    /// Asks what shall be replayed, and how.
    pub(super) fn replay_with(&mut self) {
        let (which, named): (Vec<_>, Vec<_>) = self.list.choices().into_iter().unzip();
        if which.is_empty() {
            return;
        }
        let local = self.status.target.as_ref().map(ToString::to_string);
        let local = local.unwrap_or_else(|| "where each went first".to_owned());
        let fields = vec![
            Field::choice(EVENTS, "Replay", named, 0),
            Field::text(TARGET, "Local service", "", local),
            Field::text(RATE, "Per second", "", "as fast as it answers"),
        ];
        let form = Form::new("Replay", "replay", fields).beginning_at(TARGET);
        let purpose = Box::new(Purpose::Replay(which));
        self.modals.push(Modal::Form(form, purpose));
    }

    /// The form says what shall be replayed, and how. Says what cannot be.
    pub(super) fn replay_as_filled(
        &mut self,
        form: &Form,
        mut which: Vec<EventChoice>,
    ) -> Result<(), String> {
        let target = optional(&form.text(TARGET), |text| {
            text.parse::<Target>().map_err(|error| error.to_string())
        })?;
        let rate = optional(&form.text(RATE), per_second)?;
        let chosen = form.chosen_index(EVENTS).min(which.len().saturating_sub(1));
        match which.swap_remove(chosen) {
            EventChoice::These(events) => self.replay_all(Batch::new(events, target, rate)),
            // How many they are is told in the form; where it is not, it is asked about.
            EventChoice::All(filter) => self.effects.push(Effect::List(ListEffect::FindAll {
                filter,
                most: MOST_MARKS,
                wanted: FindPurpose::Replay {
                    of: None,
                    asks: self.list.total().is_none(),
                    target,
                    rate,
                },
            })),
        }
        Ok(())
    }

    /// Replays these one after the other.
    pub(super) fn replay_all(&mut self, batch: Batch) {
        if self.batch.is_some() {
            let text = "Other events are being replayed; wait for them, or stop them";
            self.toasts.show(Role::Failed, text, self.now);
            return;
        }
        self.batch = Some(batch);
    }

    /// Sends no more of a batch, or imports no more.
    pub(super) fn stop(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.stop();
            self.tell_progress();
        } else {
            self.stop_importing();
        }
    }

    /// Asks whether to quit while events are being sent; says whether it has to.
    pub(super) fn asks_to_quit(&mut self) -> bool {
        let is_asked = |modal: &Modal| matches!(modal, Modal::Confirm(_, pending) if **pending == PendingAction::Quit);
        if self.modals.last().is_some_and(is_asked) {
            return false;
        }
        let Some(batch) = &self.batch else {
            return false;
        };
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
        let hint = self.keymap().says(Context::Confirm, &hint);
        let lines = Lines::new("Quit", hint, lines);
        self.modals
            .push(Modal::Confirm(lines, Box::new(PendingAction::Quit)));
        true
    }

    /// All events that pass the filter have come, to be marked or replayed.
    pub(super) fn found_all(
        &mut self,
        wanted: FindPurpose,
        result: Result<Vec<(Position, EventId)>, String>,
    ) {
        match (wanted, result) {
            (FindPurpose::Mark, Ok(events)) => self.mark_found(events),
            (
                FindPurpose::Replay {
                    of,
                    asks,
                    target,
                    rate,
                },
                Ok(events),
            ) => {
                let events: Vec<EventId> = events.into_iter().rev().map(|(_, id)| id).collect();
                if !asks {
                    return self.replay_all(Batch::new(events, target, rate));
                }
                let what = match events.as_slice() {
                    [only] => event_name(*only, &self.list, &self.detail),
                    several => {
                        let many = u64::try_from(several.len()).unwrap_or(u64::MAX);
                        words::count(many, "event")
                    }
                };
                self.ask_to_replay(&what, of, events, target, rate);
            }
            (_, Err(error)) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    fn mark_found(&mut self, events: Vec<(Position, EventId)>) {
        let (many, all) = (events.len(), events.len() < MOST_MARKS);
        self.list.mark_all(events);
        let many = words::count(u64::try_from(many).unwrap_or(u64::MAX), "event");
        let text = if all {
            format!("Marked {many}")
        } else {
            format!("Marked the newest {many}; no more can be marked at once")
        };
        self.toasts.show(Role::Ok, text, self.now);
    }

    /// A replay has ended.
    pub(super) fn replayed(&mut self, id: EventId, result: Result<Box<Attempt>, String>) {
        self.show_replayed(id);
        let status = match &result {
            Ok(attempt) => match attempt.outcome {
                Outcome::Answered { status, .. } => Some(status),
                Outcome::Failed { .. } => None,
            },
            Err(_) => None,
        };
        if let Some(batch) = &mut self.batch
            && batch.end_one(id, status)
        {
            self.tell_progress();
            return;
        }
        let name = event_name(id, &self.list, &self.detail);
        let (role, text) = match result {
            Ok(attempt) => {
                let (role, outcome) = words::outcome_and_time(&attempt);
                (role, format!("Replayed {name}: {outcome}"))
            }
            Err(error) => (Role::Failed, format!("Cannot replay {name}: {error}")),
        };
        self.toasts.show(role, text, self.now);
    }

    /// Says how a batch went, once it is over.
    fn tell_progress(&mut self) {
        let Some(batch) = self.batch.take_if(|batch| batch.is_over()) else {
            return;
        };
        let role = if batch.troubles() == 0 {
            Role::Ok
        } else {
            Role::Failed
        };
        self.toasts
            .show(role, format!("Replayed: {}", batch.summary()), self.now);
    }

    /// What somebody sent is shown also while the screen is held still.
    fn show_replayed(&mut self, id: EventId) {
        let row = self.list.window().rows().find(|row| row.id == id);
        let touched = row.map(|row| (row.position, id)).into_iter().collect();
        let changes = Changes {
            touched,
            ..Changes::default()
        };
        if self.is_paused() {
            self.list.on_change(&changes);
            self.detail.on_change(&changes);
        }
    }
}

fn per_second(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|rate| (1..=1_000).contains(rate));
    number.ok_or_else(|| format!("{text:?} is no rate: write a number from 1 to 1000"))
}

#[cfg(test)]
mod tests;
