//! The windows that are tables: the timeline of an object, and what each hook sent.

use super::App;
use crate::changes::Changes;
use crate::effect::Effect;
use crate::keymap::Action;
use crate::layout::Pane;
use crate::modal::Modal;
use crate::modal::help::Help;
use crate::pulses::PulsesAnswer;
use crate::theme::Role;
use crate::timeline::{TimelineAnswer, TimelinePane};

impl App {
    /// Opens the timeline of what the selected event is about.
    pub(super) fn open_timeline(&mut self) {
        let Some(row) = self.list.selected() else {
            return;
        };
        let Some(object) = row.object else {
            let text = "This event is about no object";
            return self.toasts.show(Role::Quiet, text, self.now);
        };
        let pane = TimelinePane::new(object, row.id);
        self.modals.push(Modal::Timeline(Box::new(pane)));
    }

    /// Opens the table of hooks.
    pub(super) fn open_pulses(&mut self) {
        self.modals.push(Modal::Pulses(Box::default()));
    }

    /// Does what a key asks for in a table.
    pub(super) fn act_on_table(&mut self, action: Action) {
        match action {
            Action::Help => self.modals.push(Modal::Help(Help::new(self.contexts()))),
            Action::Open => self.open_from_table(),
            _ => self.move_within(action),
        }
    }

    /// Shows the event under the cursor, or the events of the hook there, and closes the table.
    fn open_from_table(&mut self) {
        match self.modals.last() {
            Some(Modal::Timeline(pane)) => {
                let Some(row) = pane.selected().cloned() else {
                    return;
                };
                self.modals.clear();
                self.list.go_to(row);
                self.focus = Pane::Detail;
            }
            Some(Modal::Pulses(pulses)) => {
                let Some(filter) = pulses.filter() else {
                    return;
                };
                self.modals.clear();
                let typed = self.search.choose(&filter, self.now);
                self.typed(typed);
                self.focus = Pane::List;
            }
            _ => {}
        }
    }

    /// What the tables want to know now.
    pub(super) fn ask_tables(&mut self) {
        for modal in &mut self.modals {
            match modal {
                Modal::Timeline(pane) => self.effects.extend(pane.ask().map(Effect::Timeline)),
                Modal::Pulses(pulses) => self.effects.extend(pulses.ask().map(Effect::Pulses)),
                _ => {}
            }
        }
    }

    /// A second has passed; says whether a table shows it.
    pub(super) fn tick_tables(&mut self) -> bool {
        let mut shows = false;
        for modal in &mut self.modals {
            match modal {
                Modal::Timeline(pane) => pane.tick(),
                Modal::Pulses(pulses) => pulses.tick(),
                _ => continue,
            }
            shows = true;
        }
        shows
    }

    /// The history is not what it was.
    pub(super) fn change_tables(&mut self, changes: &Changes) {
        let is_news = changes.appended.is_some() || changes.everything;
        let is_news = is_news || !changes.touched.is_empty() || !changes.loops.is_empty();
        for modal in &mut self.modals {
            match modal {
                Modal::Timeline(pane) if is_news => pane.on_change(),
                _ => {}
            }
        }
    }

    /// The timeline has come.
    pub(super) fn timeline_loaded(&mut self, answer: TimelineAnswer) {
        let open = self.modals.iter_mut().find_map(|modal| match modal {
            Modal::Timeline(pane) => Some(pane),
            _ => None,
        });
        if let Some(pane) = open {
            pane.on_answer(answer);
        }
    }

    /// The hooks were counted.
    pub(super) fn pulses_counted(&mut self, answer: PulsesAnswer) {
        let open = self.modals.iter_mut().find_map(|modal| match modal {
            Modal::Pulses(pulses) => Some(pulses),
            _ => None,
        });
        if let Some(pulses) = open {
            pulses.on_answer(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::message::Message;
    use crate::testing::{app, now, press, settle};

    #[test]
    fn a_table_is_left_by_escape_and_its_help_lists_its_keys() {
        for key in ["T", "p"] {
            let mut app = app(100, 30);
            settle(&mut app, Message::Tick(now()), 500);
            press(&mut app, &format!("{key} ?"), 500);
            let shown = crate::testing::text(&crate::testing::frame(&app));
            assert!(shown.contains("In a table"), "{shown}");
            press(&mut app, "esc esc", 500);
            assert!(app.modals.is_empty());
        }
    }
}
