//! Keeps the selected event selected. New events, growing bursts, retention and filters change the
//! rows around it, but never which event a key acts on.

use podtap_agent::history::{EventRow, HistoryRow, Position};

use super::{Goal, List, ListPage};
use crate::keymap::Action;

impl List {
    /// Keeps the list at the selected event, because a person reads it or acts on it. The list no
    /// longer follows the newest event, and does not move by itself.
    pub(crate) fn hold(&mut self) {
        let Some(at) = self.cursor() else { return };
        self.leave_newest();
        if self.goal.take().is_some() {
            self.pursued = None;
            // If the rows of another filter are still to come, the event stays selected among them.
            self.goal = (self.filter != self.shown).then_some(Goal::Held(at));
        }
    }

    /// Returns whether a gap is selected and the action needs an event. Marked events, or a range,
    /// can be replayed wherever the cursor is.
    pub(crate) fn lacks_event_for(&self, action: Action, is_in_detail: bool) -> bool {
        let is_of_others = action == Action::Replay
            && !is_in_detail
            && (self.marked_count() > 0 || self.range().is_some());
        action.needs_event() && self.selected_gap().is_some() && !is_of_others
    }

    /// Selects an event and moves the list to it. The event stays selected even
    /// if it does not match the filter.
    pub(crate) fn go_to(&mut self, row: EventRow) {
        self.leave_newest();
        self.leave_stray();
        let at = row.position;
        self.select(Some(row.into()));
        (self.goal, self.pursued) = (Some(Goal::Held(at)), None);
    }

    /// Returns whether the event at this position is in the list only because it is selected.
    pub(crate) fn is_stray(&self, position: Position) -> bool {
        self.is_stray && self.cursor() == Some(position)
    }

    /// Returns the event that must not be folded into a burst: the selected
    /// one, if it is a row of its own.
    pub(super) fn pinned_position(&self) -> Option<Position> {
        if self.follow || matches!(self.goal, Some(Goal::Folded(_))) {
            return None;
        }
        let selected = self.selected_event()?;
        selected.burst.is_none().then_some(selected.position)
    }

    /// Returns whether a page folds the selected event into a burst, because the page was
    /// read before the event was selected.
    pub(super) fn takes_selected(&self, page: &ListPage) -> bool {
        let Some(pinned) = self.pinned_position() else {
            return false;
        };
        let takes = |row: &EventRow| row.burst.is_some() && row.shows(pinned);
        page.rows.iter().filter_map(HistoryRow::event).any(takes)
    }

    /// Removes the row that is in the list only because it is selected,
    /// before the list moves elsewhere.
    pub(super) fn leave_stray(&mut self) {
        if self.is_stray {
            self.select(None);
        }
    }

    /// Selects another row, or none.
    pub(super) fn select(&mut self, row: Option<HistoryRow>) {
        let at = row.as_ref().map(HistoryRow::position);
        let former = self.cursor().filter(|former| Some(*former) != at);
        self.selected = row;
        if let Some(former) = former.filter(|_| self.is_stray) {
            self.window.remove(former);
        }
        self.is_stray &= former.is_none();
    }

    /// Returns the row of the window that shows this position, or the next older one.
    pub(super) fn row_near(&self, position: Position) -> Option<HistoryRow> {
        let index = self.window.nearest(position)?;
        self.window.row(index).cloned()
    }

    /// Finds the selected event in the new rows and updates it, or adds it to the rows.
    pub(super) fn keep_selected(&mut self) {
        let Some(at) = self.cursor() else {
            return self.select(self.window.row(0).cloned());
        };
        let shown = self.row_near(at).filter(|row| row.shows(at));
        match (shown, &mut self.selected) {
            (Some(row), Some(selected)) if row.position() == at => {
                *selected = row;
                self.is_stray = false;
            }
            // A selected burst has grown: the event that represents it stays the same.
            (Some(row), Some(selected)) => {
                if let (HistoryRow::Event(row), HistoryRow::Event(selected)) = (row, selected) {
                    selected.burst = row.burst;
                }
                self.is_stray = false;
            }
            (None, Some(selected)) => {
                self.window.insert(selected.clone());
                self.is_stray = true;
            }
            (_, None) => {}
        }
    }
}
