//! Applies filters while a person types them and afterwards. A filter that is being typed is only
//! tried: it never empties the list, and cancelling restores the former list.

use podtap_agent::history::{Filter, HistoryRow};

use super::effect::ListEffect;
use super::{Goal, List};
use crate::command::UiCommand;
use crate::search::FilterChange;
use crate::theme::Role;

/// The state of the list before a person began to type a filter.
#[derive(Debug, Clone)]
pub(super) struct BeforeTyping {
    filter: Filter,
    selected: Option<HistoryRow>,
    lead: usize,
    follow: bool,
}

/// Which events to show.
#[derive(Debug, Clone, Default)]
pub(super) struct ShownEvents {
    /// The filter of the filter line.
    wanted: Filter,
    /// Whether only marked events are shown.
    only_marked: bool,
}

impl List {
    /// Saves the state of the list before a filter is typed.
    pub(crate) fn begin_typing(&mut self) {
        self.before = Some(BeforeTyping {
            filter: self.filter.clone(),
            selected: self.selected.clone(),
            lead: self.lead,
            follow: self.follow,
        });
        self.without_matches = None;
    }

    /// Applies a change of the filter line.
    pub(crate) fn on_filter_change(&mut self, change: FilterChange) {
        match change {
            FilterChange::None => {}
            FilterChange::Preview(filter) => {
                let shown = self.among_marked(filter);
                self.try_filter(shown);
            }
            FilterChange::Apply(filter) => {
                self.scope.wanted = filter;
                self.show_wanted();
            }
            FilterChange::Cancel => self.restore(),
        }
    }

    /// Returns whether only marked events are shown.
    pub(crate) fn is_only_marked(&self) -> bool {
        self.scope.only_marked
    }

    /// Shows only the marked events, or all events again. Returns a notice if no event is marked.
    pub(crate) fn toggle_marked(&mut self) -> Option<UiCommand<ListEffect>> {
        if !self.scope.only_marked && self.marked_count() == 0 {
            return Some(UiCommand::notify(Role::Quiet, "No event is marked"));
        }
        self.scope.only_marked = !self.scope.only_marked;
        self.show_wanted();
        None
    }

    /// Leaves the view of marked events.
    pub(super) fn leave_marked(&mut self) {
        if std::mem::take(&mut self.scope.only_marked) {
            self.show_wanted();
        }
    }

    /// Shows all events again.
    pub(crate) fn show_all(&mut self) {
        self.scope = ShownEvents::default();
        self.show_wanted();
    }

    /// Shows the events that match now. An event stays in the view of marked events when its mark
    /// is removed: if the row disappeared, it could not be marked again.
    fn show_wanted(&mut self) {
        let filter = self.among_marked(self.scope.wanted.clone());
        self.set_filter(filter);
    }

    fn among_marked(&self, filter: Filter) -> Filter {
        if self.scope.only_marked {
            filter.among(self.marked_places())
        } else {
            filter
        }
    }

    /// Tries the filter that was typed so far. If no event matches, the rows stay.
    pub(super) fn try_filter(&mut self, filter: Filter) {
        self.without_matches = None;
        self.want(filter);
    }

    /// Applies a filter, even if no event matches.
    pub(super) fn set_filter(&mut self, filter: Filter) {
        let before = self.before.take();
        self.without_matches = None;
        self.want_from(filter, before);
    }

    /// Cancels the typed filter and restores the former state.
    pub(super) fn restore(&mut self) {
        let Some(before) = self.before.take() else {
            return;
        };
        self.without_matches = None;
        (self.follow, self.lead) = (before.follow, before.lead);
        let at = before.selected.as_ref().map(HistoryRow::position);
        self.begin(before.filter);
        self.goal = match at {
            _ if self.filter == self.shown => None,
            Some(at) if !self.follow => Some(Goal::Held(at)),
            _ => Some(Goal::Newest),
        };
        self.select(before.selected);
        self.keep_selected();
    }

    /// Returns the filter that was tried last, if no event matches it. The rows
    /// then still belong to another filter.
    pub(crate) fn without_matches(&self) -> Option<&Filter> {
        self.without_matches.as_ref()
    }

    /// Keeps the rows and their filter, because no event matches the tried filter.
    pub(super) fn keep_rows(&mut self) {
        self.without_matches = Some(self.filter.clone());
        let shown = self.shown.clone();
        self.begin(shown);
        self.goal = None;
    }

    fn want(&mut self, filter: Filter) {
        let before = self.before.clone();
        self.want_from(filter, before);
    }

    /// Shows the events that match another filter. If the event that was selected before typing
    /// matches, the list stays there; otherwise it moves to the newest event.
    fn want_from(&mut self, filter: Filter, before: Option<BeforeTyping>) {
        if filter == self.filter {
            return;
        }
        let (follow, at) = match before {
            Some(before) => (before.follow, before.selected.map(|row| row.position())),
            None => (self.follow, self.cursor()),
        };
        self.goal = Some(match at {
            Some(at) if !follow => Goal::Passing(at),
            _ => Goal::Newest,
        });
        self.begin(filter);
    }

    fn begin(&mut self, filter: Filter) {
        self.filter = filter;
        (self.pursued, self.incoming) = (None, None);
        (self.counted, self.seen) = (None, None);
        (self.count_stale, self.count_pause) = (true, 0);
    }
}

#[cfg(test)]
mod tests {
    use crate::message::Message;
    use crate::testing::{app, frame, now, press, settle, text};

    #[test]
    fn only_what_is_marked_is_asked_for_until_all_is_wanted_again() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "M", 500);
        assert!(app.list.shows_all(), "nothing is marked");

        press(&mut app, "m m M", 500);
        assert_eq!(app.list.filter().terms().len(), 1);
        let shown = text(&frame(&app));
        assert!(shown.contains("only marked"), "{shown}");

        press(&mut app, "/ i t e m : 1 enter", 500);
        assert_eq!(app.list.filter().terms().len(), 2);
        press(&mut app, "M esc", 500);
        assert!(!app.list.shows_all(), "one key too many leaves nothing");
        press(&mut app, "j esc", 500);
        assert!(!app.list.shows_all(), "asked twice, but not twice in a row");
        press(&mut app, "esc", 500);
        assert!(app.list.shows_all());
    }

    #[test]
    fn without_marks_there_is_no_view_of_them() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "m m M u", 500);
        assert!(app.list.shows_all() && !app.list.is_only_marked());
    }

    #[test]
    fn leaving_the_filter_leaves_the_marks_too() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "m M esc esc", 500);
        assert!(app.list.shows_all() && !app.list.is_only_marked());
        assert_eq!(app.list.marked_count(), 1);
    }
}
