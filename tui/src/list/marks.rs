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
    pub(crate) fn mark_range(&mut self) {
        if self.marks.range.is_none() {
            self.marks.range = self.cursor;
            return;
        }
        let rows = self.window.rows().map(|row| (row.position, row.id));
        let chosen: Vec<_> = rows
            .filter(|(position, _)| self.is_in_range(*position))
            .collect();
        self.mark_all(chosen);
        self.marks.range = None;
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
    use crate::message::Message;
    use crate::testing::{app, id, now, press, settle};

    #[test]
    fn a_range_is_marked_from_end_to_end_and_single_marks_toggle() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "j v j j", 500);
        assert!(app.list.is_marked(podtap_agent::history::Position(498)));
        assert_eq!(app.list.marked(), []);
        press(&mut app, "v", 500);
        assert_eq!(app.list.marked(), [id(497), id(498), id(499)]);
        press(&mut app, "m", 500);
        assert_eq!(app.list.marked(), [id(498), id(499)]);
        press(&mut app, "u", 500);
        assert_eq!(app.list.marked(), []);
    }
}
