//! Folds bursts in the list. A burst is one row until a person opens it, and again when they close
//! it. Bursts are folded only without a filter; events that match a filter are shown one by one.

use podtap_agent::history::{Burst, Position};

use super::effect::{Folding, ListEffect};
use super::{Goal, List};
use crate::command::UiCommand;
use crate::theme::Role;

/// Maximum number of open bursts. Above that, the one that was opened first is closed.
const MOST_OPEN: usize = 64;

impl List {
    /// Returns the burst that the selected row represents.
    pub(crate) fn selected_burst(&self) -> Option<&Burst> {
        self.selected_event()?.burst.as_ref()
    }

    /// Opens the selected burst, or closes the burst of the selected event.
    /// Returns a notice if there is none.
    pub(crate) fn fold(&mut self) -> Option<UiCommand<ListEffect>> {
        let is_folded = self.toggle_burst();
        (!is_folded).then(|| UiCommand::notify(Role::Quiet, "There is no burst here"))
    }

    fn toggle_burst(&mut self) -> bool {
        let Some(selected) = self.selected_event() else {
            return false;
        };
        let position = selected.position;
        if let Some(Burst { first, last, .. }) = selected.burst {
            self.opened.push((first, last));
            let excess = self.opened.len().saturating_sub(MOST_OPEN);
            self.opened.drain(..excess);
        } else if let Some(at) = self.opened_at(position) {
            self.opened.remove(at);
        } else {
            return false;
        }
        self.leave_newest();
        self.goal = Some(Goal::Folded(position));
        // The page that is being read would still be folded in the old way.
        self.asked = None;
        true
    }

    /// Returns whether a position is in an open burst.
    pub(crate) fn is_opened(&self, position: Position) -> bool {
        self.opened_at(position).is_some()
    }

    /// Returns how to fold bursts; `None` if bursts are not folded.
    pub(super) fn folding(&self) -> Option<Folding> {
        self.filter.is_empty().then(|| Folding {
            opened: self.opened.iter().map(|(first, _)| *first).collect(),
            pinned: self.pinned_position(),
        })
    }

    fn opened_at(&self, position: Position) -> Option<usize> {
        let holds = |(first, last): &(Position, Position)| (*first..=*last).contains(&position);
        self.opened.iter().position(holds)
    }
}
