//! The selected event stays selected: what arrives, what a burst takes in, what retention removes
//! and what a filter no longer wants changes the rows around it, and never which event a key means.

use podtap_agent::history::{EventRow, HistoryRow, Position};

use super::{Goal, List, ListPage};
use crate::keymap::Action;

impl List {
    /// A person reads the selected event, or acts on it: the list no longer follows the newest,
    /// and goes nowhere by itself.
    pub(crate) fn hold(&mut self) {
        let Some(at) = self.cursor() else { return };
        self.leave_newest();
        if self.goal.take().is_some() {
            self.pursued = None;
            // The rows of another filter are still to come; the event stays among them.
            self.goal = (self.filter != self.shown).then_some(Goal::Held(at));
        }
    }

    /// Whether a gap is selected where an action needs an event. What is marked, or a range, can be
    /// replayed from anywhere in the list.
    pub(crate) fn lacks_event_for(&self, action: Action, is_in_detail: bool) -> bool {
        let is_of_others = action == Action::Replay
            && !is_in_detail
            && (self.marked_count() > 0 || self.range().is_some());
        action.needs_event() && self.selected_gap().is_some() && !is_of_others
    }

    /// Selects an event wherever it is, and goes there; it stays selected even where the filter
    /// does not want it.
    pub(crate) fn go_to(&mut self, row: EventRow) {
        self.leave_newest();
        self.leave_stray();
        let at = row.position;
        self.select(Some(row.into()));
        (self.goal, self.pursued) = (Some(Goal::Held(at)), None);
    }

    /// Whether the selected event is among the rows only because it is selected.
    pub(crate) fn is_stray(&self, position: Position) -> bool {
        self.is_stray && self.cursor() == Some(position)
    }

    /// The event that no burst may take in: the selected one, where it is a row of its own.
    pub(super) fn pinned(&self) -> Option<Position> {
        if self.follow || matches!(self.goal, Some(Goal::Folded(_))) {
            return None;
        }
        let selected = self.selected()?;
        selected.burst.is_none().then_some(selected.position)
    }

    /// Whether a page was read before the event was selected that one of its bursts takes in.
    pub(super) fn takes_selected(&self, page: &ListPage) -> bool {
        let Some(pinned) = self.pinned() else {
            return false;
        };
        let takes = |row: &EventRow| row.burst.is_some() && row.shows(pinned);
        page.rows.iter().filter_map(HistoryRow::event).any(takes)
    }

    /// The list goes elsewhere: what is there only because it is selected does not count.
    pub(super) fn leave_stray(&mut self) {
        if self.is_stray {
            self.select(None);
        }
    }

    /// Another row is selected, or none.
    pub(super) fn select(&mut self, row: Option<HistoryRow>) {
        let at = row.as_ref().map(HistoryRow::position);
        let former = self.cursor().filter(|former| Some(*former) != at);
        self.selected = row;
        if let Some(former) = former.filter(|_| self.is_stray) {
            self.window.remove(former);
        }
        self.is_stray &= former.is_none();
    }

    /// The row of the window that shows this place, or the next older one.
    pub(super) fn row_near(&self, position: Position) -> Option<HistoryRow> {
        let index = self.window.nearest(position)?;
        self.window.row(index).cloned()
    }

    /// The rows are others now: the selected event is read anew, or put among them.
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
            // A burst that was selected has grown: the event of it that was seen stays.
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
