//! What a person has marked, to replay it together or to compare with it.

use std::collections::BTreeMap;

use podtap_agent::EventId;
use podtap_agent::history::Position;

use super::List;

/// Events that can be marked at once.
pub(crate) const MOST_MARKS: usize = 10_000;

/// Marked events, and where a range of them begins that is being chosen.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    events: BTreeMap<Position, EventId>,
    range: Option<Position>,
}

impl List {
    /// The marked events, oldest first.
    pub(crate) fn marked(&self) -> Vec<EventId> {
        self.marks.events.values().copied().collect()
    }

    /// Where the marked events are, oldest first.
    pub(crate) fn marked_places(&self) -> Vec<Position> {
        self.marks.events.keys().copied().collect()
    }

    /// How many are marked.
    pub(crate) fn marked_count(&self) -> usize {
        self.marks.events.len()
    }

    /// Whether the event at this place is marked, or would be if the range ended here.
    pub(crate) fn is_marked(&self, position: Position) -> bool {
        self.marks.events.contains_key(&position) || self.is_in_range(position)
    }

    /// Marks the selected event, or takes its mark away.
    pub(crate) fn mark(&mut self) {
        let Some((position, id)) = self.selected().map(|row| (row.position, row.id)) else {
            return;
        };
        if self.marks.events.remove(&position).is_none() {
            self.mark_all([(position, id)]);
        }
    }

    /// Begins a range at the cursor; the second time, marks everything from there to the cursor.
    /// Where that takes in a burst, whose events are no rows, returns the range's ends instead:
    /// what lies between them is to be looked for.
    pub(crate) fn mark_range(&mut self) -> Option<(Position, Position)> {
        if self.marks.range.is_none() {
            self.marks.range = self.cursor;
            return None;
        }
        let rows = self.window.rows();
        let chosen: Vec<_> = rows.filter(|row| self.is_in_range(row.position)).collect();
        let has_burst = chosen.iter().any(|row| row.burst.is_some());
        let ends = match (chosen.last(), chosen.first()) {
            (Some(oldest), Some(newest)) if has_burst => Some((oldest.oldest(), newest.position)),
            _ => None,
        };
        let events: Vec<_> = chosen.iter().map(|row| (row.position, row.id)).collect();
        if ends.is_none() {
            self.mark_all(events);
        }
        self.marks.range = None;
        ends
    }

    /// Marks these, as far as there is room.
    pub(crate) fn mark_all(&mut self, events: impl IntoIterator<Item = (Position, EventId)>) {
        let room = MOST_MARKS.saturating_sub(self.marks.events.len());
        self.marks.events.extend(events.into_iter().take(room));
    }

    /// Takes all marks away.
    pub(crate) fn unmark_all(&mut self) {
        self.marks = Marks::default();
    }

    fn is_in_range(&self, position: Position) -> bool {
        match (self.marks.range, self.cursor) {
            (Some(from), Some(to)) => (from.min(to)..=from.max(to)).contains(&position),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use podtap_agent::history::{EventRow, Filter};

    use super::*;
    use crate::effect::{Effect, Wanted};
    use crate::keymap::Key;
    use crate::message::{Answer, Message};
    use crate::testing::{app, burst, id, now, press, row, settle};

    #[test]
    fn a_range_is_marked_from_end_to_end_and_single_marks_toggle() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "j v j j", 500);
        assert!(app.list.is_marked(Position(498)));
        assert_eq!(app.list.marked(), []);
        press(&mut app, "v", 500);
        assert_eq!(app.list.marked(), [id(497), id(498), id(499)]);
        press(&mut app, "m", 500);
        assert_eq!(app.list.marked(), [id(498), id(499)]);
        press(&mut app, "u", 500);
        assert_eq!(app.list.marked(), []);
    }

    #[test]
    fn a_range_across_a_burst_is_all_of_its_events() {
        let folded = EventRow {
            burst: Some(burst(450, 499)),
            ..row(499)
        };
        let mut app = app(100, 30);
        app.update(Message::Tick(now()));
        let rows = vec![row(500), folded, row(449), row(448)];
        let result = Ok(rows.into());
        let generation = 1;
        app.update(Message::Answer(Answer::Page { generation, result }));
        let key = |key: &str| Message::Key(key.parse::<Key>().unwrap().into());
        for keys in ["v", "j", "j"] {
            app.update(key(keys));
        }
        let effects = app.update(key("v"));
        let all = Effect::FindAll {
            filter: Filter::between(Position(449), Position(500)),
            most: MOST_MARKS,
            wanted: Wanted::Marks,
        };
        assert!(effects.contains(&all), "{effects:?}");
    }
}
