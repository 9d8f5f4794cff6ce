//! Keeps the names and the changes of the events on the screen, as far as Podio has reported them.
//! They are read from the history for the visible rows, at most a few times per second.

mod effect;
mod text;

use std::collections::{HashMap, HashSet};

use podtap_agent::history::EventRow;
use podtap_agent::{EventId, RememberedEvent};

pub(crate) use effect::{NamesAnswer, NamesEffect, run};
pub(crate) use text::EventSummary;

/// Maximum number of events that were asked about. Above that, only those on the screen are kept.
const MOST: usize = 2_048;

/// Maximum number of requests per second. While many events arrive, each frame shows other rows.
const A_SECOND: usize = 8;

/// The names of events.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    known: HashMap<EventId, EventSummary>,
    /// Events that were asked about since the history last learned names.
    asked: HashSet<EventId>,
    /// Whether a request is running.
    pending: bool,
    /// Whether the history has learned names since that request was sent.
    stale: bool,
    /// Number of requests that are left until the next tick.
    left: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            asked: HashSet::new(),
            pending: false,
            stale: false,
            left: A_SECOND,
        }
    }
}

impl Names {
    /// Returns what is known about an event.
    pub(crate) fn of(&self, row: &EventRow) -> Option<&EventSummary> {
        self.known.get(&row.id).filter(|_| row.burst.is_none())
    }

    /// Returns whether anything is known about any event. If so, rows have a column for names.
    pub(crate) fn any(&self) -> bool {
        !self.known.is_empty()
    }

    /// Records that the history may have learned names.
    pub(crate) fn on_change(&mut self) {
        self.asked.clear();
        self.stale = self.pending;
    }

    /// Handles a tick of the clock.
    pub(crate) fn tick(&mut self) {
        self.left = A_SECOND;
    }

    /// Returns the request about the rows on the screen. At most one request runs at a time.
    pub(crate) fn ask<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a EventRow> + Clone,
    ) -> Option<NamesEffect> {
        if self.pending || self.left == 0 {
            return None;
        }
        let is_new = |row: &&EventRow| {
            row.burst.is_none() && row.object.is_some() && !self.asked.contains(&row.id)
        };
        let new: Vec<EventRow> = rows.clone().filter(is_new).cloned().collect();
        if new.is_empty() {
            return None;
        }
        if self.asked.len() + new.len() > MOST {
            let in_sight: HashSet<EventId> = rows.map(|row| row.id).collect();
            self.asked.retain(|id| in_sight.contains(id));
            self.known.retain(|id, _| in_sight.contains(id));
        }
        self.asked.extend(new.iter().map(|row| row.id));
        (self.pending, self.left) = (true, self.left - 1);
        Some(NamesEffect::Remember { rows: new })
    }

    /// Handles an answer.
    pub(crate) fn on_answer(&mut self, answer: NamesAnswer) {
        let NamesAnswer::Remembered { result } = answer;
        self.on_remembered(result);
    }

    /// Handles the answer of the history. Names that could not be read are
    /// requested again after the next change.
    fn on_remembered(&mut self, found: Result<HashMap<EventId, RememberedEvent>, String>) {
        self.pending = false;
        if std::mem::take(&mut self.stale) {
            self.asked.clear();
        }
        let Ok(found) = found else { return };
        let known = found.iter().map(|(id, told)| (*id, EventSummary::of(told)));
        self.known.extend(known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, row};

    fn ask(names: &mut Names, positions: &[i64]) -> Option<usize> {
        let rows: Vec<EventRow> = positions.iter().map(|at| row(*at)).collect();
        names
            .ask(rows.iter())
            .map(|NamesEffect::Remember { rows }| rows.len())
    }

    fn remembered_names(position: i64) -> HashMap<EventId, RememberedEvent> {
        let title = Some("Login fails".to_owned());
        let told = RememberedEvent {
            title,
            ..RememberedEvent::default()
        };
        [(id(position), told)].into()
    }

    #[test]
    fn rows_in_sight_are_asked_about_once_and_again_when_something_was_learned() {
        let mut names = Names::default();
        assert_eq!(ask(&mut names, &[1, 2]), Some(2));
        assert_eq!(ask(&mut names, &[1, 2, 3]), None, "one question at a time");
        names.on_remembered(Ok(remembered_names(1)));
        assert_eq!(ask(&mut names, &[1, 2, 3]), Some(1), "only what is new");
        names.on_change();
        names.on_remembered(Ok(HashMap::new()));
        assert_eq!(ask(&mut names, &[1]), Some(1), "it came too early");
        names.on_remembered(Err("busy".to_owned()));
        assert_eq!(ask(&mut names, &[1]), None);
        assert!(names.of(&row(1)).is_some(), "what was known stays");
    }

    #[test]
    fn a_flood_asks_a_few_times_a_second_and_keeps_what_is_in_sight() {
        let mut names = Names::default();
        let asked = (1..100).filter(|at| {
            let asked = ask(&mut names, &[*at * 5]).is_some();
            names.on_remembered(Ok(remembered_names(*at)));
            asked
        });
        assert_eq!(asked.count(), A_SECOND);
        for at in 1..5_000 {
            names.tick();
            ask(&mut names, &[at * 5, at * 5 + 1]);
            names.on_remembered(Ok(remembered_names(at * 5)));
            assert!(names.known.len() <= MOST && names.asked.len() <= MOST + 2);
        }
    }
}
