//! Bursts in the list: each is one row until a person opens it, and one row again when they close
//! it. Only the whole history is folded; what passes a filter is shown row by row.

use podtap_agent::history::{Burst, Position};

use super::effect::{Folding, ListEffect};
use super::{Goal, List};
use crate::command::UiCommand;
use crate::theme::Role;

/// Bursts that can be open at once; the one that was opened first closes.
const MOST_OPEN: usize = 64;

impl List {
    /// The burst for which the selected row stands.
    pub(crate) fn selected_burst(&self) -> Option<&Burst> {
        self.selected()?.burst.as_ref()
    }

    /// Opens the selected burst, or closes the one in which the selected event is; says where
    /// there is none.
    pub(crate) fn fold(&mut self) -> Option<UiCommand<ListEffect>> {
        let is_folded = self.toggle_burst();
        (!is_folded).then(|| UiCommand::notify(Role::Quiet, "There is no burst here"))
    }

    fn toggle_burst(&mut self) -> bool {
        let Some(selected) = self.selected() else {
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
        // What was asked for before would be folded as it was.
        self.asked = None;
        true
    }

    /// Whether a place lies in a burst that was opened.
    pub(crate) fn is_opened(&self, position: Position) -> bool {
        self.opened_at(position).is_some()
    }

    /// How bursts are to be folded; `None` where none is.
    pub(super) fn folding(&self) -> Option<Folding> {
        self.filter.is_empty().then(|| Folding {
            opened: self.opened.iter().map(|(first, _)| *first).collect(),
            pinned: self.pinned(),
        })
    }

    fn opened_at(&self, position: Position) -> Option<usize> {
        let holds = |(first, last): &(Position, Position)| (*first..=*last).contains(&position);
        self.opened.iter().position(holds)
    }
}
