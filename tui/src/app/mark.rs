//! Marking events: one, a range, a burst.

use podtap_agent::history::{Filter, Position};

use super::App;
use crate::effect::Effect;
use crate::keymap::Action;
use crate::list::FindPurpose;
use crate::list::ListEffect;
use crate::list::marks::MOST_MARKS;

impl App {
    /// Marks the selected event, or all of a burst. In the list the next one is selected.
    pub(super) fn mark(&mut self) {
        match self.list.selected_burst() {
            Some(burst) => self.effects.push(mark_between(burst.first, burst.last)),
            None => self.list.mark(),
        }
        if self.has_focus(crate::layout::Pane::List) {
            self.move_within(Action::Down);
        } else {
            self.tell_mark();
        }
    }

    /// Begins a range, or marks all of it.
    pub(super) fn mark_range(&mut self) {
        let ends = self.list.mark_range();
        self.effects
            .extend(ends.map(|(first, last)| mark_between(first, last)));
    }

    /// Says what became of a mark that is not in sight.
    fn tell_mark(&mut self) {
        let Some(row) = self.list.selected() else {
            return;
        };
        let done = if self.list.is_marked(row.position) {
            "Marked"
        } else {
            "Unmarked"
        };
        let text = format!("{done} {}", crate::words::event(row));
        self.toasts.show(crate::theme::Role::Ok, text, self.now);
    }
}

/// Marks whatever there is between two events, both included.
fn mark_between(first: Position, last: Position) -> Effect {
    Effect::List(ListEffect::FindAll {
        filter: Filter::between(first, last),
        most: MOST_MARKS,
        wanted: FindPurpose::Mark,
    })
}
