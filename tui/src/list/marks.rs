//! Marks events, to replay them together or to compare with one of them.

use std::collections::BTreeMap;

use podtap_agent::EventId;
use podtap_agent::history::{EventRow, Filter, HistoryRow, Position};

use super::List;
use super::effect::{FindPurpose, ListEffect};
use crate::command::UiCommand;
use crate::theme::Role;
use crate::words;

/// Maximum number of marked events.
pub(crate) const MOST_MARKS: usize = 10_000;

/// The marked events, and the start of the range that is being selected.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    events: BTreeMap<Position, EventId>,
    range: Option<Position>,
}

impl List {
    /// Returns the marked events, oldest first.
    pub(crate) fn marked_events(&self) -> Vec<EventId> {
        self.marks.events.values().copied().collect()
    }

    /// Returns the positions of the marked events, oldest first.
    pub(super) fn marked_places(&self) -> Vec<Position> {
        self.marks.events.keys().copied().collect()
    }

    /// Returns the number of marked events.
    pub(crate) fn marked_count(&self) -> usize {
        self.marks.events.len()
    }

    /// Returns whether the event at this position is marked, or would be if
    /// the range ended at the cursor now.
    pub(crate) fn is_marked(&self, position: Position) -> bool {
        self.marks.events.contains_key(&position) || self.is_in_range(position)
    }

    /// Marks the selected event, or removes its mark. The events of a burst are not loaded, so
    /// the returned command finds them.
    pub(crate) fn mark(&mut self) -> Option<UiCommand<ListEffect>> {
        if let Some(burst) = self.selected_burst() {
            let filter = Filter::between(burst.first, burst.last);
            return Some(UiCommand::Run(find_all(filter, FindPurpose::Mark)));
        }
        self.mark_selected();
        None
    }

    fn mark_selected(&mut self) {
        let Some((position, id)) = self.selected_event().map(|row| (row.position, row.id)) else {
            return;
        };
        if self.marks.events.remove(&position).is_none() {
            self.mark_all([(position, id)]);
        }
    }

    /// Begins a range at the cursor; the second time, marks everything from there to the
    /// cursor. If the range contains a burst, whose events are not loaded, the returned
    /// command finds all events of the range.
    pub(crate) fn mark_range(&mut self) -> Option<UiCommand<ListEffect>> {
        if self.marks.range.is_none() {
            self.marks.range = self.cursor();
            return None;
        }
        let ends = self.range_ends();
        if ends.is_none() {
            let chosen = self.in_range().map(|row| (row.position, row.id));
            let events: Vec<_> = chosen.collect();
            self.mark_all(events);
        }
        self.marks.range = None;
        let (first, last) = ends?;
        let filter = Filter::between(first, last);
        Some(UiCommand::Run(find_all(filter, FindPurpose::Mark)))
    }

    /// Marks all events that match the filter.
    pub(crate) fn mark_wanted(&self) -> UiCommand<ListEffect> {
        UiCommand::Run(find_all(self.filter().clone(), FindPurpose::Mark))
    }

    /// Marks the events that were found.
    pub(crate) fn on_found_to_mark(
        &mut self,
        events: Vec<(Position, EventId)>,
    ) -> UiCommand<ListEffect> {
        let (many, all) = (events.len(), events.len() < MOST_MARKS);
        self.mark_all(events);
        let many = words::count(u64::try_from(many).unwrap_or(u64::MAX), "event");
        let text = if all {
            format!("Marked {many}")
        } else {
            format!("Marked the newest {many}; no more can be marked at once")
        };
        UiCommand::Notify(Role::Ok, text)
    }

    /// Returns a notice about a mark that was changed while its row is not on the screen.
    pub(crate) fn mark_notice(&self) -> Option<UiCommand<ListEffect>> {
        let row = self.selected_event()?;
        let done = if self.is_marked(row.position) {
            "Marked"
        } else {
            "Unmarked"
        };
        let text = format!("{done} {}", words::event(row));
        Some(UiCommand::Notify(Role::Ok, text))
    }

    /// Returns the ends of the range, if the range contains a burst.
    fn range_ends(&self) -> Option<(Position, Position)> {
        if !self.in_range().any(|row| row.burst.is_some()) {
            return None;
        }
        Some((
            self.in_range().last()?.oldest(),
            self.in_range().next()?.position,
        ))
    }

    fn in_range(&self) -> impl Iterator<Item = &EventRow> {
        let rows = self.window.rows().filter_map(HistoryRow::event);
        rows.filter(|row| self.is_in_range(row.position))
    }

    /// Cancels the range that is being selected. Returns whether there was one.
    pub(crate) fn end_range(&mut self) -> bool {
        self.marks.range.take().is_some()
    }

    /// Returns the number of events that the range would mark; `None` if there is no range.
    pub(crate) fn range(&self) -> Option<u64> {
        self.marks.range?;
        let events = |row: &EventRow| row.burst.as_ref().map_or(1, |burst| burst.events);
        Some(self.in_range().map(events).sum())
    }

    /// Marks these events, up to the limit of [`MOST_MARKS`].
    pub(crate) fn mark_all(&mut self, events: impl IntoIterator<Item = (Position, EventId)>) {
        let room = MOST_MARKS.saturating_sub(self.marks.events.len());
        self.marks.events.extend(events.into_iter().take(room));
    }

    /// Removes all marks, and leaves the view of marked events.
    pub(crate) fn unmark_all(&mut self) {
        self.marks = Marks::default();
        self.leave_marked();
    }

    fn is_in_range(&self, position: Position) -> bool {
        match (self.marks.range, self.cursor()) {
            (Some(from), Some(to)) => (from.min(to)..=from.max(to)).contains(&position),
            _ => false,
        }
    }
}

/// Returns the effect that finds as many matching events as can be marked.
pub(crate) fn find_all(filter: Filter, purpose: FindPurpose) -> ListEffect {
    ListEffect::FindAll {
        filter,
        most: MOST_MARKS,
        purpose,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Effect;
    use crate::keymap::KeyPress;
    use crate::list::ListAnswer;
    use crate::message::{FeatureAnswer, Message};
    use crate::testing::{app, burst, id, now, press, row, settle};

    #[test]
    fn a_range_is_marked_from_end_to_end_and_single_marks_toggle() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "j v j j", 500);
        assert!(app.list.is_marked(Position(498)));
        assert_eq!(app.list.marked_events(), []);
        press(&mut app, "v", 500);
        assert_eq!(app.list.marked_events(), [id(497), id(498), id(499)]);
        press(&mut app, "m", 500);
        assert_eq!(app.list.marked_events(), [id(498), id(499)]);
        press(&mut app, "u", 500);
        assert_eq!(app.list.marked_events(), []);
    }

    #[test]
    fn a_range_stays_where_it_was_begun_and_is_left_with_esc() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "v", 500);
        let changes = crate::changes::Changes {
            appended: Some(Position(506)),
            ..crate::changes::Changes::default()
        };
        settle(&mut app, Message::Changed(changes), 506);
        assert_eq!(app.list.range(), Some(1), "what arrives is not in it");
        press(&mut app, "j j", 506);
        let shown = crate::testing::text(&crate::testing::frame(&app));
        assert!(shown.contains("range 3"), "{shown}");
        assert!(
            shown.contains("v mark") && shown.contains("esc leave"),
            "{shown}"
        );
        press(&mut app, "esc", 506);
        assert_eq!((app.list.range(), app.list.marked_count()), (None, 0));
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
        app.update(Message::Answer(FeatureAnswer::List(ListAnswer::Page {
            generation,
            result,
        })));
        let key = |key: &str| Message::Key(key.parse::<KeyPress>().unwrap().into());
        for keys in ["v", "j", "j"] {
            app.update(key(keys));
        }
        let effects = app.update(key("v"));
        let all = Effect::List(ListEffect::FindAll {
            filter: Filter::between(Position(449), Position(500)),
            most: MOST_MARKS,
            purpose: FindPurpose::Mark,
        });
        assert!(effects.contains(&all), "{effects:?}");
    }
}
