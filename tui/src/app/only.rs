//! Which events the list shows: those that the filter wants, or of them only what is marked.

use podtap_agent::history::Filter;

use super::App;
use crate::effect::Effect;
use crate::keymap::{Action, Context};
use crate::search::FilterChange;
use crate::search::SearchEffect;
use crate::theme::Role;

impl App {
    /// Opens the filter line.
    pub(super) fn open_filter(&mut self) {
        self.search.open();
        self.list.begin_typing();
        self.effects.push(Effect::Search(SearchEffect::FindValues));
    }

    /// What was typed into the filter line, or chosen, did this.
    pub(super) fn typed(&mut self, typed: FilterChange) {
        match typed {
            FilterChange::None => {}
            FilterChange::Preview(filter) => {
                let shown = self.among_marked(filter);
                self.list.try_filter(shown);
            }
            FilterChange::Apply(filter) => {
                self.wanted = filter;
                self.show_wanted();
            }
            FilterChange::Cancel => self.list.restore(),
        }
    }

    /// Shows all events again: only when it is asked for twice, since leaving something else may
    /// have taken one key less than it seemed. Says whether there was a filter.
    pub(super) fn show_all(&mut self) -> bool {
        if !self.only_marked && self.search.text().is_empty() {
            return false;
        }
        if self.asks_again != Some(Action::Back) {
            self.asks_again = Some(Action::Back);
            let key = self.keymap().key_in(Context::List, Action::Back);
            let key = key.map(|key| key.to_string()).unwrap_or_default();
            let text = format!("{key} once more shows all events again");
            self.toasts.show(Role::Quiet, text, self.now);
            return true;
        }
        self.search.clear();
        self.only_marked = false;
        self.wanted = Filter::default();
        self.show_wanted();
        true
    }

    /// Takes all marks away, and leaves the view of them.
    pub(super) fn unmark_all(&mut self) {
        self.list.unmark_all();
        if std::mem::take(&mut self.only_marked) {
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

    /// Gives the list what it shall show. Marks that are taken away meanwhile stay in the list:
    /// a row that left under the cursor could not be marked again.
    fn show_wanted(&mut self) {
        let filter = self.among_marked(self.wanted.clone());
        self.list.set_filter(filter);
    }

    fn among_marked(&self, filter: Filter) -> Filter {
        if self.only_marked {
            filter.among(self.list.marked_places())
        } else {
            filter
        }
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
        assert!(app.list.shows_all() && !app.only_marked);
    }

    #[test]
    fn leaving_the_filter_leaves_the_marks_too() {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "m M esc esc", 500);
        assert!(app.list.shows_all() && !app.only_marked);
        assert_eq!(app.list.marked_count(), 1);
    }
}
