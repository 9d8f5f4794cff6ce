//! Turns mouse events into actions.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::App;
use crate::copy::copy_selection;
use crate::keymap::Action;
use crate::layout::{Layout, Pane};
use crate::modal::{self, ClickResult, Modal};
use crate::mouse::{self, ClickTarget, Gesture};

/// Lines to scroll per notch of the mouse wheel.
const WHEEL_LINES: usize = 3;

impl App {
    /// Handles a mouse event. Returns whether it does anything in the current state.
    pub(super) fn mouse(&mut self, event: MouseEvent) -> bool {
        let Some(layout) = self.layout() else {
            return false;
        };
        if let MouseEventKind::Down(MouseButton::Left) = event.kind
            && let Some(means) = self.click(&layout, event)
        {
            return means;
        }
        let Some(gesture) = mouse::gesture(&layout, event, self.panes.is_dragging) else {
            return false;
        };
        match (gesture, self.windows.is_empty()) {
            (Gesture::Scroll { down, .. }, false) => {
                self.move_within(if down { Action::Down } else { Action::Up });
            }
            (_, false) => return false,
            (Gesture::Row(line), _) => {
                self.panes.focus = Pane::List;
                self.list.select_line(line, layout.list_height());
                if let Some(id) = self.list.selected_event().map(|row| row.id)
                    && self.clicks.is_double(ClickTarget::Event(id), self.now)
                {
                    self.act(Action::Open);
                }
            }
            (Gesture::Tab(tab), _) => {
                self.list.hold();
                self.detail.open_tab(tab);
            }
            (Gesture::Focus(pane), _) => {
                self.panes.focus = pane;
                if pane == Pane::Detail {
                    self.list.hold();
                }
                let at = Position::new(event.column, event.row);
                self.detail.on_press(at, layout.sheet());
            }
            (Gesture::Drag, _) => return self.detail.on_drag(event.row, layout.sheet()),
            (Gesture::Drop, _) => {
                if !self.detail.on_release() {
                    return false;
                }
                let copied = copy_selection(&mut self.detail);
                self.run(copied);
            }
            (Gesture::Scroll { pane, down }, _) => {
                let action = if down { Action::Down } else { Action::Up };
                if pane == Pane::Detail {
                    self.list.hold();
                }
                for _ in 0..WHEEL_LINES {
                    match pane {
                        Pane::List => self.list.act(action, layout.list_height()),
                        Pane::Detail => self.detail.scroll(action, layout.sheet().height.into()),
                    }
                }
            }
            (Gesture::Grab, _) => self.panes.is_dragging = true,
            (Gesture::Share(share), _) => self.panes.share = share,
            (Gesture::Release, _) => self.panes.is_dragging = false,
        }
        true
    }

    /// Handles a press of the button in the bottom row or while a window is open, and returns
    /// whether it does anything. Returns `None` if the press belongs to the panes instead.
    fn click(&mut self, layout: &Layout, event: MouseEvent) -> Option<bool> {
        let at = Position::new(event.column, event.row);
        if layout.footer.contains(at) {
            if self.search.is_open() || self.detail.is_finding() {
                return Some(false);
            }
            let contexts = self.contexts();
            let footer = self.footer(&contexts);
            let key = footer.key_at(&self.config.keymap, layout.footer, at.x);
            return Some(key.is_some_and(|key| self.key(key)));
        }
        let screen = self.panes.screen();
        let area = modal::area(self.windows.top()?, self.health_props(), self.env(), screen);
        if !area.contains(at) {
            self.back();
            return Some(true);
        }
        let window = self.windows.top_mut()?;
        match window.click(at, area, &self.config.keymap, screen) {
            ClickResult::Nothing => return Some(false),
            ClickResult::Changed => {}
            ClickResult::Row(row) => {
                if self.clicks.is_double(ClickTarget::Row(row), self.now) {
                    self.act(Action::Open);
                }
            }
            ClickResult::Choice(choice) => {
                self.windows.close();
                self.choose(choice);
            }
            ClickResult::Copy(form) => {
                if let Some(Modal::Copy(menu)) = self.windows.close() {
                    let copied = menu.copy(form, &self.detail, &self.status);
                    self.run(copied);
                }
            }
        }
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEventKind};

    use jiff::SignedDuration;

    use super::*;
    use crate::effect::Effect;
    use crate::message::Message;
    use crate::testing::{app, frame, now, press, settle, text};

    fn settled_app() -> App {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        app
    }

    /// Clicks on the first cell of `what`; if it is on the screen more than once, on the lowest.
    fn click(app: &mut App, what: &str) -> Vec<Effect> {
        let shown = text(&frame(app));
        let mut lines = shown
            .lines()
            .enumerate()
            .collect::<Vec<_>>()
            .into_iter()
            .rev();
        let found = lines.find_map(|(row, line)| Some((row, line.find(what)?, line)));
        let (row, at, line) = found.unwrap_or_else(|| panic!("no {what:?} on {shown}"));
        let (before, _) = line.split_at(at);
        click_at(app, before.chars().count(), row)
    }

    fn click_at(app: &mut App, column: usize, row: usize) -> Vec<Effect> {
        app.update(Message::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: u16::try_from(column).unwrap(),
            row: u16::try_from(row).unwrap(),
            modifiers: KeyModifiers::NONE,
        }))
    }

    #[test]
    fn a_double_click_opens_and_two_clicks_on_different_rows_or_long_apart_do_not() {
        let mut app = settled_app();
        let row = |app: &mut App, row| click_at(app, 20, row);
        row(&mut app, 6);
        row(&mut app, 7);
        assert_eq!(app.panes.focus, Pane::List);
        settle(
            &mut app,
            Message::Tick(now() + SignedDuration::from_secs(3)),
            500,
        );
        row(&mut app, 7);
        assert_eq!(app.panes.focus, Pane::List);
        // An event that arrives between the two clicks changes nothing.
        settle(
            &mut app,
            Message::Tick(now() + SignedDuration::from_secs(4)),
            501,
        );
        row(&mut app, 7);
        assert_eq!(app.panes.focus, Pane::Detail);
    }

    #[test]
    fn keys_in_the_bottom_row_can_be_clicked_wherever_one_is() {
        let mut app = app(200, 40);
        settle(&mut app, Message::Tick(now()), 500);
        click(&mut app, "/ filter");
        assert!(app.search.is_open());
        press(&mut app, "esc", 500);
        click(&mut app, "x export");
        assert!(matches!(app.windows.top(), Some(Modal::Form(_))));
        click(&mut app, "esc leave");
        assert!(app.windows.is_empty());
        click(&mut app, "? help");
        assert!(matches!(app.windows.top(), Some(Modal::Help(_))));
        let shown = text(&frame(&app));
        assert!(!click(&mut app, "esc close").is_empty(), "{shown}");
        assert_eq!(click(&mut app, "q quit"), [Effect::Quit]);
    }

    #[test]
    fn a_click_beside_a_window_closes_it_and_does_nothing_else() {
        for keys in ["?", "y", "i", ":", "x", "h", "m m r"] {
            let mut app = settled_app();
            press(&mut app, keys, 500);
            assert_eq!(app.windows.iter().count(), 1, "{keys}");
            let selected = app.list.selected_event().map(|row| row.id);
            // The hooks window covers everything except the header and the footer.
            click_at(&mut app, 0, if keys == "h" { 0 } else { 4 });
            assert!(app.windows.is_empty(), "{keys}");
            assert_eq!(app.list.selected_event().map(|row| row.id), selected);
        }
    }

    #[test]
    fn a_line_of_a_menu_is_chosen_by_a_click() {
        let mut app = settled_app();
        press(&mut app, "y", 500);
        let effects = click(&mut app, "event id");
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::ToClipboard(_)))
        );
        press(&mut app, ": h e a l", 500);
        click(&mut app, "the state of the agent");
        assert!(app.windows.shows_health());
        press(&mut app, "esc x", 500);
        click(&mut app, "File");
        press(&mut app, "ctrl-u z", 500);
        assert!(text(&frame(&app)).contains("File              z"));
    }
}
