//! Replays: of the selected event, of all that are marked, of an edited copy; and what came of
//! them.

use podtap_agent::EventId;
use podtap_agent::history::{Attempt, Event, Outcome, Position};

use super::{App, short};
use crate::batch::Batch;
use crate::editor;
use crate::effect::Effect;
use crate::line::Line;
use crate::list::marks::MOST_MARKS;
use crate::modal::lines::Lines;
use crate::modal::options::Options;
use crate::modal::{Deed, Modal};
use crate::theme::Role;
use crate::words;

impl App {
    /// The selected event, once it has been read.
    pub(super) fn selected_event(&self) -> Option<&Event> {
        let selected = self.list.selected()?.id;
        let opened = self.detail.opened()?;
        (opened.event.id == selected).then_some(&opened.event)
    }

    /// Replays the selected event, or asks whether all that are marked shall be.
    pub(super) fn replay(&mut self, effects: &mut Vec<Effect>) {
        let marked = self.list.marked();
        if marked.is_empty() {
            let selected = self.list.selected().map(|row| row.id);
            effects.extend(selected.map(|id| Effect::Replay {
                id,
                target: None,
                edited: None,
            }));
            return;
        }
        let many = u64::try_from(marked.len()).unwrap_or(u64::MAX);
        let target = self.status.target.as_ref().map(ToString::to_string);
        let target = target.unwrap_or_else(|| "no local service".to_owned());
        let lines = vec![
            Line::of(
                Role::Plain,
                format!(
                    "Send {} again, oldest first?",
                    words::count(many, "marked event")
                ),
            ),
            Line::of(Role::Quiet, "to ").put(Role::Plain, target),
        ];
        let lines = Lines::new("Replay", "enter sends · esc leaves", lines);
        self.modals
            .push(Modal::Confirm(lines, Box::new(Deed::ReplayAll(marked))));
    }

    /// Asks how the marked events, else the selected one, shall be replayed.
    pub(super) fn replay_with(&mut self) {
        let mut events = self.list.marked();
        if events.is_empty() {
            events.extend(self.list.selected().map(|row| row.id));
        }
        if !events.is_empty() {
            self.modals.push(Modal::Options(Options::new(events)));
        }
    }

    /// Replays these one after the other.
    pub(super) fn replay_all(&mut self, batch: Batch) {
        if self.batch.is_some() {
            let text = "Other events are being replayed; wait for them, or stop them";
            self.toasts.show(Role::Failed, text, self.now);
            return;
        }
        self.list.unmark_all();
        self.batch = Some(batch);
    }

    /// Sends no more of a batch.
    pub(super) fn stop_replays(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.stop();
            self.tell_progress();
        }
    }

    /// All events that pass the filter have come, to be marked.
    pub(super) fn found_all(&mut self, result: Result<Vec<(Position, EventId)>, String>) {
        match result {
            Ok(events) => {
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
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    /// Opens the selected event in the editor.
    pub(super) fn edit(&mut self, effects: &mut Vec<Effect>) {
        if let Some(event) = self.selected_event() {
            let (id, file) = (event.id, editor::write(&event.request));
            effects.push(Effect::Edit {
                id,
                file: file.clone(),
                before: file,
            });
        }
    }

    /// Opens what was edited once more.
    pub(super) fn edit_again(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Modal::Confirm(_, deed)) = self.modals.last()
            && let Deed::Send {
                id, before, file, ..
            } = deed.as_ref()
        {
            let (id, file, before) = (*id, file.clone(), before.clone());
            effects.push(Effect::Edit { id, file, before });
            self.modals.pop();
        }
    }

    /// The editor has been left: shows what is different, and asks whether to send it.
    pub(super) fn edited(&mut self, id: EventId, before: String, result: Result<String, String>) {
        let parsed = result.and_then(|file| match editor::parse(&file) {
            Ok(edited) => Ok((file, edited)),
            Err(error) => Err(format!("nothing was sent: {error}")),
        });
        match parsed {
            Ok((file, Some(edited))) => {
                let mut lines = editor::difference(&before, &file);
                if lines.is_empty() {
                    lines.push(Line::of(Role::Quiet, "Nothing was changed."));
                }
                let hint = "enter sends · e edits again · esc leaves";
                let lines = Lines::new("Replay this instead", hint, lines);
                let deed = Deed::Send {
                    id,
                    edited,
                    file,
                    before,
                };
                self.modals.push(Modal::Confirm(lines, Box::new(deed)));
            }
            Ok((_, None)) => self.toasts.show(Role::Quiet, "Nothing was sent", self.now),
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    /// Compares the selected event with the newest marked one.
    pub(super) fn compare(&mut self, effects: &mut Vec<Effect>) {
        let selected = self.list.selected().map(|row| row.id);
        let marked = self
            .list
            .marked()
            .into_iter()
            .rev()
            .find(|id| Some(*id) != selected);
        match (marked, selected) {
            (Some(one), Some(other)) => effects.push(Effect::Compare { one, other }),
            _ => self.toasts.show(
                Role::Quiet,
                "Mark the event to compare with first",
                self.now,
            ),
        }
    }

    /// The difference between two events has come.
    pub(super) fn compared(&mut self, result: Result<Vec<Line>, String>) {
        match result {
            Ok(lines) => {
                let lines = match lines.len() {
                    0 => vec![Line::of(Role::Quiet, "The two requests are the same.")],
                    _ => lines,
                };
                self.modals
                    .push(Modal::Lines(Lines::new("Difference", "esc closes", lines)));
            }
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    /// A replay has ended.
    pub(super) fn replayed(&mut self, id: EventId, result: Result<Box<Attempt>, String>) {
        let answered =
            matches!(&result, Ok(attempt) if matches!(attempt.outcome, Outcome::Answered { .. }));
        if let Some(batch) = &mut self.batch
            && batch.ended(id, answered)
        {
            self.tell_progress();
            return;
        }
        let id = short(id);
        let (role, text) = match result {
            Ok(attempt) => match &attempt.outcome {
                Outcome::Answered { status, .. } => {
                    let (role, status) = words::status_outcome(*status);
                    let took = words::duration(attempt.duration);
                    (role, format!("Replayed {id}: {status} in {took}"))
                }
                Outcome::Failed { error } => (Role::Failed, format!("Replayed {id}: ✗ {error}")),
            },
            Err(error) => (Role::Failed, format!("Cannot replay {id}: {error}")),
        };
        self.toasts.show(role, text, self.now);
    }

    /// Says how a batch went, once it is over.
    fn tell_progress(&mut self) {
        let Some(batch) = self.batch.take_if(|batch| batch.is_over()) else {
            return;
        };
        let (ended, total, failed) = batch.progress();
        let role = if failed == 0 { Role::Ok } else { Role::Failed };
        let (ended, total) = (words::number(ended), words::number(total));
        let failed = words::number(failed);
        let text = format!("Replayed {ended} of {total}, {failed} without an answer");
        self.toasts.show(role, text, self.now);
    }
}
