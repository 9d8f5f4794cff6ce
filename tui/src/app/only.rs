//! Which events the list shows: those that the filter wants, or of them only what is marked.

use podtap_agent::history::Filter;

use super::App;
use crate::theme::Role;

impl App {
    /// Another filter is in force, if there is one.
    pub(super) fn set_filter(&mut self, filter: Option<Filter>) {
        if let Some(filter) = filter {
            self.wanted = filter;
            self.show_wanted();
        }
    }

    /// Shows only what is marked, or all again.
    pub(super) fn toggle_marked(&mut self) {
        if !self.only_marked && self.list.marked_count() == 0 {
            self.toasts
                .show(Role::Quiet, "No event is marked", self.now);
            return;
        }
        self.only_marked = !self.only_marked;
        self.show_wanted();
    }

    /// Whether only what is marked is shown.
    pub(crate) fn shows_only_marked(&self) -> bool {
        self.only_marked
    }

    /// Gives the list what it shall show. Marks that are taken away meanwhile stay in the list:
    /// a row that left under the cursor could not be marked again.
    fn show_wanted(&mut self) {
        let filter = self.wanted.clone();
        self.list.set_filter(if self.only_marked {
            filter.among(self.list.marked_places())
        } else {
            filter
        });
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
        assert!(app.list.shows_all());
    }

    #[test]
    fn leaving_the_filter_leaves_the_marks_too() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "m M esc", 500);
        assert!(app.list.shows_all() && !app.shows_only_marked());
        assert_eq!(app.list.marked_count(), 1);
    }
}
