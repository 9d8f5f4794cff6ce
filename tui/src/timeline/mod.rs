//! The timeline of one object: a row of marks, and each event with the author of the
//! change, the API client, and the answer of the local service. A loop is easy to
//! see: its events have the same mark.

mod columns;
mod effect;
mod mark;
mod row;
#[cfg(test)]
mod scenes;
mod strip;
mod view;

use podtap_agent::EventId;
use podtap_agent::figures::{Timeline, TimelineEntry};
use podtap_agent::history::EventRow;
use podtap_podio::ObjectRef;
use ratatui::layout::Rect;

use crate::command::UiCommand;
use crate::keymap::Action;
use crate::theme::Role;
use crate::widget::cursor;
pub(crate) use effect::{TimelineAnswer, TimelineEffect, run};
pub(crate) use view::{area, view};

/// The open timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimelinePane {
    object: ObjectRef,
    /// The event under the cursor. If the cursor is on revisions that never
    /// arrived, the event after them.
    selected: EventId,
    timeline: Option<Box<Timeline>>,
    failure: Option<String>,
    /// The index of the entry under the cursor; 0 is the newest.
    cursor: usize,
    /// The first entry on the screen after the last move.
    top: usize,
    reading: TimelineLoad,
}

/// The state of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum TimelineLoad {
    /// The timeline must be read.
    #[default]
    Wanted,
    /// The timeline is being read.
    Asked,
    /// The timeline is being read, and the history has changed since the request.
    Stale,
    /// The timeline has been read.
    Done,
    /// The timeline has been read, and the history has changed since. It is
    /// read again after the next tick.
    Old,
}

impl TimelinePane {
    /// Creates the timeline of an event's object.
    ///
    /// # Errors
    /// The notice to show if the event has no object.
    pub(crate) fn of(row: &EventRow) -> Result<Self, UiCommand<TimelineEffect>> {
        match row.object {
            Some(object) => Ok(Self::new(object, row.id)),
            None => Err(UiCommand::notify(Role::Quiet, "This event has no object")),
        }
    }

    /// Creates the timeline of an object, with the cursor on one of its events.
    pub(super) fn new(object: ObjectRef, selected: EventId) -> Self {
        Self {
            object,
            selected,
            timeline: None,
            failure: None,
            cursor: 0,
            top: 0,
            reading: TimelineLoad::default(),
        }
    }

    /// Returns the next request.
    pub(crate) fn ask(&mut self) -> Option<TimelineEffect> {
        if self.reading != TimelineLoad::Wanted {
            return None;
        }
        self.reading = TimelineLoad::Asked;
        Some(TimelineEffect::Load(self.object))
    }

    /// Records that the history has changed.
    pub(crate) fn on_change(&mut self) {
        self.reading = match self.reading {
            TimelineLoad::Asked => TimelineLoad::Stale,
            TimelineLoad::Done => TimelineLoad::Old,
            same => same,
        };
    }

    /// Handles a tick of the clock: an old timeline is read again.
    pub(crate) fn tick(&mut self) {
        if self.reading == TimelineLoad::Old {
            self.reading = TimelineLoad::Wanted;
        }
    }

    /// Handles an answer. Ignores the answer about another object.
    pub(crate) fn on_answer(&mut self, answer: TimelineAnswer) {
        let TimelineAnswer::Loaded { object, result } = answer;
        if object != self.object {
            return;
        }
        self.reading = match self.reading {
            TimelineLoad::Stale => TimelineLoad::Old,
            _ => TimelineLoad::Done,
        };
        match result {
            Ok(timeline) => {
                self.failure = None;
                self.timeline = Some(timeline);
                self.find_selected();
            }
            Err(error) => self.failure = Some(error),
        }
    }

    /// Returns the event under the cursor.
    pub(crate) fn selected_event(&self) -> Option<&EventRow> {
        match self.newest_first().nth(self.cursor)? {
            TimelineEntry::Event(event) => Some(&event.row),
            TimelineEntry::Missing { .. } => None,
        }
    }

    pub(crate) fn act(&mut self, action: Action, screen: Rect) {
        let height = view::height(self, screen).max(1);
        let entries = self.newest_first().len();
        let moved = cursor::step(action, self.cursor, entries, height);
        self.go_to(moved.unwrap_or(self.cursor), height);
    }

    /// Selects the entry on a line of the window that was clicked, and returns its index.
    pub(crate) fn click(&mut self, line: usize, screen: Rect) -> Option<usize> {
        let height = view::height(self, screen).max(1);
        let line = line
            .checked_sub(view::ABOVE)
            .filter(|line| *line < height)?;
        let entry = self.first(height) + line;
        if entry >= self.newest_first().len() {
            return None;
        }
        self.go_to(entry, height);
        Some(entry)
    }

    fn go_to(&mut self, entry: usize, height: usize) {
        self.cursor = entry;
        self.top = self.first(height);
        if let Some(id) = self.selected_event().map(|row| row.id) {
            self.selected = id;
        }
    }

    /// Returns the entries, the newest first.
    fn newest_first(&self) -> impl ExactSizeIterator<Item = &TimelineEntry> {
        let entries = self
            .timeline
            .as_ref()
            .map(|timeline| timeline.entries.as_slice());
        entries.unwrap_or_default().iter().rev()
    }

    /// Moves the cursor to the selected event, whose place may have changed.
    fn find_selected(&mut self) {
        let is_selected = |entry: &TimelineEntry| matches!(entry, TimelineEntry::Event(event) if event.row.id == self.selected);
        let at = self.newest_first().position(is_selected);
        let last = self.newest_first().len().saturating_sub(1);
        self.cursor = at.unwrap_or(self.cursor).min(last);
    }

    /// Returns the first entry to show in `height` rows, so that the cursor is among them.
    fn first(&self, height: usize) -> usize {
        cursor::first(self.top, self.cursor, height)
    }
}

#[cfg(test)]
mod tests {
    use super::scenes::{event, missing, timeline};
    use super::*;

    const SCREEN: Rect = Rect::new(0, 0, 80, 24);

    fn load_entries(pane: &mut TimelinePane, entries: Vec<TimelineEntry>) {
        let timeline = timeline(entries);
        pane.on_answer(TimelineAnswer::Loaded {
            object: timeline.object,
            result: Ok(Box::new(timeline)),
        });
    }

    fn open(at: i64) -> TimelinePane {
        let object = timeline(Vec::new()).object;
        TimelinePane::new(object, crate::testing::id(at))
    }

    #[test]
    fn the_cursor_begins_on_the_event_it_was_opened_from_and_stays_on_it() {
        let mut pane = open(2);
        assert!(pane.ask().is_some() && pane.ask().is_none());
        load_entries(&mut pane, vec![event(1), event(2), event(3)]);
        assert_eq!(pane.cursor, 1);
        load_entries(
            &mut pane,
            vec![event(1), event(2), missing(3, 4), event(5), event(6)],
        );
        assert_eq!(pane.selected_event().map(|row| row.position.0), Some(2));
        pane.act(Action::Up, SCREEN);
        assert_eq!(pane.selected_event(), None, "these never came");
        pane.act(Action::Bottom, SCREEN);
        assert_eq!(pane.selected_event().map(|row| row.position.0), Some(1));
        load_entries(&mut pane, Vec::new());
        assert_eq!(pane.selected_event(), None);
        pane.act(Action::Down, SCREEN);
    }

    #[test]
    fn it_is_read_again_once_a_second_while_things_change() {
        let mut pane = open(1);
        pane.ask();
        pane.on_change();
        load_entries(&mut pane, vec![event(1)]);
        assert_eq!(pane.ask(), None, "not within the same second");
        pane.tick();
        assert!(pane.ask().is_some(), "the answer was older than the change");
        load_entries(&mut pane, vec![event(1)]);
        pane.tick();
        assert_eq!(pane.ask(), None, "nothing has changed");
    }

    #[test]
    fn an_answer_about_another_object_changes_nothing() {
        let mut pane = open(1);
        pane.ask();
        let mut other = timeline(vec![event(1)]);
        other.object.id += 1;
        pane.on_answer(TimelineAnswer::Loaded {
            object: other.object,
            result: Ok(Box::new(other)),
        });
        assert!(pane.timeline.is_none());
    }

    #[test]
    fn a_line_is_selected_by_a_click() {
        let mut pane = open(1);
        load_entries(&mut pane, (1..4).map(event).collect());
        assert_eq!(pane.click(view::ABOVE, SCREEN), Some(0));
        assert_eq!(pane.selected_event().map(|row| row.position.0), Some(3));
        assert_eq!(pane.click(view::ABOVE + 3, SCREEN), None);
        assert_eq!(pane.click(0, SCREEN), None);
    }
}
