//! The mouse's button: twice on the same row opens it; on a key in the bottom row it presses that
//! key; on a line of a window it chooses that line, and beside a window it closes it.

use crossterm::event::MouseEvent;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::EventId;
use ratatui::layout::Position;

use super::App;
use crate::keymap::Action;
use crate::layout::{Layout, inner};
use crate::modal::{self, Modal};

/// The longest time between two clicks that are one double click; the clock is no finer.
const DOUBLE: SignedDuration = SignedDuration::from_secs(1);

/// What can be clicked twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClickTarget {
    /// A row of the list.
    Event(EventId),
    /// A row of the open table.
    Row(usize),
}

/// The last click.
#[derive(Debug, Clone, Default)]
pub(super) struct Clicks(Option<(ClickTarget, Timestamp)>);

impl Clicks {
    /// Whether this is the second click on the same thing. A third one is a first again.
    pub(super) fn is_double(&mut self, clicked: ClickTarget, now: Timestamp) -> bool {
        let is_again = |(last, at): &(ClickTarget, Timestamp)| {
            *last == clicked && now.duration_since(*at) <= DOUBLE
        };
        let is_double = self.0.is_some_and(|last| is_again(&last));
        self.0 = (!is_double).then_some((clicked, now));
        is_double
    }
}

impl App {
    /// The button went down in the bottom row, or while a window is open; says whether that means
    /// anything. `None` where it means what is drawn there.
    pub(super) fn click(&mut self, layout: &Layout, event: MouseEvent) -> Option<bool> {
        let at = Position::new(event.column, event.row);
        if layout.footer.contains(at) {
            return Some(self.click_key(layout, at.x));
        }
        if self.modals.is_empty() {
            return None;
        }
        Some(self.click_window(at))
    }

    fn click_key(&mut self, layout: &Layout, column: u16) -> bool {
        if self.search.is_open() || self.detail.is_finding() {
            return false;
        }
        let contexts = self.contexts();
        let footer = self.footer(&contexts);
        let key = footer.key_at(self.keymap(), layout.footer, column);
        key.is_some_and(|key| self.key(key))
    }

    fn click_window(&mut self, at: Position) -> bool {
        let screen = self.screen();
        let Some(top) = self.modals.last() else {
            return false;
        };
        let area = modal::area(top, self.health_props(), self.env(), screen);
        if !area.contains(at) {
            self.back();
            return true;
        }
        let lines = inner(area);
        if !lines.contains(at) {
            return false;
        }
        let line = usize::from(at.y - lines.y);
        match self.modals.last_mut() {
            Some(Modal::Palette(palette)) => {
                let Some(chosen) = palette.click(line, &self.config.keymap) else {
                    return false;
                };
                self.modals.pop();
                self.chosen(chosen);
            }
            Some(Modal::Copy(menu)) => {
                let Some(form) = menu.at(line) else {
                    return false;
                };
                self.copy(form);
            }
            Some(Modal::Form(form, _)) => return form.click(line, lines.height.into()),
            Some(Modal::Hooks(pane)) => {
                let Some(row) = pane.click(line, screen) else {
                    return false;
                };
                return self.click_table(Some(row));
            }
            Some(Modal::Timeline(pane)) => {
                let row = pane.click(line, screen);
                return self.click_table(row);
            }
            Some(Modal::Pulses(pulses)) => {
                let row = pulses.click(line, screen);
                return self.click_table(row);
            }
            _ => return false,
        }
        true
    }

    fn click_table(&mut self, row: Option<usize>) -> bool {
        let Some(row) = row else { return false };
        if self.clicks.is_double(ClickTarget::Row(row), self.now) {
            self.act(Action::Open);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEventKind};

    use super::*;
    use crate::effect::Effect;
    use crate::layout::Pane;
    use crate::message::Message;
    use crate::testing::{app, frame, now, press, settle, text};

    fn settled() -> App {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        app
    }

    /// Clicks on the first cell of `what`, where it is lowest on the screen.
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
        let mut app = settled();
        let row = |app: &mut App, row| click_at(app, 20, row);
        row(&mut app, 6);
        row(&mut app, 7);
        assert_eq!(app.focus, Pane::List);
        settle(
            &mut app,
            Message::Tick(now() + SignedDuration::from_secs(3)),
            500,
        );
        row(&mut app, 7);
        assert_eq!(app.focus, Pane::List);
        // An event that arrives between the two changes nothing.
        settle(
            &mut app,
            Message::Tick(now() + SignedDuration::from_secs(4)),
            501,
        );
        row(&mut app, 7);
        assert_eq!(app.focus, Pane::Detail);
    }

    #[test]
    fn keys_in_the_bottom_row_can_be_clicked_wherever_one_is() {
        let mut app = app(200, 40);
        settle(&mut app, Message::Tick(now()), 500);
        click(&mut app, "/ filter");
        assert!(app.search.is_open());
        press(&mut app, "esc", 500);
        click(&mut app, "x export");
        assert!(matches!(app.modals.last(), Some(Modal::Form(..))));
        click(&mut app, "esc leave");
        assert!(app.modals.is_empty());
        click(&mut app, "? help");
        assert!(matches!(app.modals.last(), Some(Modal::Help(_))));
        let shown = text(&frame(&app));
        assert!(!click(&mut app, "esc close").is_empty(), "{shown}");
        assert_eq!(click(&mut app, "q quit"), [Effect::Quit]);
    }

    #[test]
    fn a_click_beside_a_window_closes_it_and_does_nothing_else() {
        for keys in ["?", "y", "i", ":", "x", "h", "m m r"] {
            let mut app = settled();
            press(&mut app, keys, 500);
            assert_eq!(app.modals.len(), 1, "{keys}");
            let selected = app.list.selected().map(|row| row.id);
            // The hooks cover all but the header and the footer.
            click_at(&mut app, 0, if keys == "h" { 0 } else { 4 });
            assert!(app.modals.is_empty(), "{keys}");
            assert_eq!(app.list.selected().map(|row| row.id), selected);
        }
    }

    #[test]
    fn a_line_of_a_menu_is_chosen_by_a_click() {
        let mut app = settled();
        press(&mut app, "y", 500);
        let effects = click(&mut app, "event id");
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::ToClipboard(_)))
        );
        press(&mut app, ": h e a l", 500);
        click(&mut app, "how the agent is");
        assert!(app.shows_health());
        press(&mut app, "esc x", 500);
        click(&mut app, "File");
        press(&mut app, "ctrl-u z", 500);
        assert!(text(&frame(&app)).contains("File              z"));
    }
}
