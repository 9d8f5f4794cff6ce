//! Lines of the detail selected, by keys or by dragging, and copied.

use crossterm::event::MouseEvent;
use ratatui::layout::Position;

use super::App;
use crate::copy::menu::MOST;
use crate::effect::Effect;
use crate::layout::Layout;
use crate::layout::Pane;
use crate::theme::Role;
use crate::words;

impl App {
    /// Whether lines are selected where the keys go.
    pub(super) fn has_selection(&self) -> bool {
        self.focus == Pane::Detail && self.detail.is_selecting()
    }

    /// Copies the selected lines as they are shown, and selects nothing any more.
    pub(super) fn copy_lines(&mut self) {
        let selected = self.detail.selected_text();
        self.detail.end_selection();
        let Some((text, lines)) = selected else {
            return;
        };
        if text.len() > MOST {
            let error = "too large for the clipboard; select fewer lines, or export the event";
            return self.toasts.show(Role::Failed, error, self.now);
        }
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        let done = format!("Copied {}", words::count(lines, "line"));
        self.effects.push(Effect::ToClipboard(text.into_bytes()));
        self.toasts.show(Role::Ok, done, self.now);
    }

    /// The mouse's button went down in the detail, or elsewhere.
    pub(super) fn press(&mut self, event: MouseEvent, layout: &Layout) {
        let (at, sheet) = (Position::new(event.column, event.row), layout.sheet());
        if sheet.contains(at) {
            self.detail
                .press((at.y - sheet.y).into(), sheet.height.into());
        }
    }

    /// The mouse was dragged; says whether that selects anything.
    pub(super) fn pull(&mut self, event: MouseEvent, layout: &Layout) -> bool {
        let sheet = layout.sheet();
        let is_within = (sheet.y..sheet.bottom()).contains(&event.row);
        let line = is_within.then(|| (event.row - sheet.y).into());
        let is_below = event.row >= sheet.bottom();
        self.detail.pull(line, is_below, sheet.height.into())
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEventKind};

    use super::*;
    use crate::keymap::Key;
    use crate::message::Message;
    use crate::testing::{app, frame, now, press, settle, text};

    fn settled() -> App {
        let mut app = app(120, 40);
        settle(&mut app, Message::Tick(now()), 500);
        app
    }

    fn key(text: &str) -> Message {
        Message::Key(text.parse::<Key>().unwrap().into())
    }

    fn mouse(app: &mut App, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
        app.update(Message::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }))
    }

    fn copied(effects: &[Effect]) -> Option<&str> {
        effects.iter().find_map(|effect| match effect {
            Effect::ToClipboard(bytes) => Some(std::str::from_utf8(bytes).unwrap()),
            _ => None,
        })
    }

    #[test]
    fn selected_lines_are_copied_as_shown_and_the_menu_stays_for_the_rest() {
        let mut app = settled();
        press(&mut app, "enter 3 v j", 500);
        let effects = app.update(key("y"));
        let lines = "POST /podio/hook\nhost: hooks.example.com";
        assert_eq!(copied(&effects), Some(lines));
        assert!(text(&frame(&app)).contains("Copied 2 lines"));
        assert!(!app.detail.is_selecting() && app.modals().is_empty());
        app.update(key("y"));
        assert_eq!(app.modals().len(), 1);
    }

    #[test]
    fn escape_leaves_the_selection_then_the_search_then_the_detail() {
        let mut app = settled();
        press(&mut app, "enter 3 / h o s t enter v esc", 500);
        assert!(!app.detail.is_selecting() && app.focus == Pane::Detail);
        press(&mut app, "esc", 500);
        assert_eq!(app.focus, Pane::Detail);
        press(&mut app, "esc", 500);
        assert_eq!(app.focus, Pane::List);
    }

    #[test]
    fn dragging_selects_lines_and_letting_go_copies_them() {
        let left = MouseButton::Left;
        let mut app = settled();
        press(&mut app, "3", 500);
        let sheet = app.layout().unwrap().sheet();
        mouse(
            &mut app,
            MouseEventKind::Down(left),
            sheet.x + 3,
            sheet.y + 1,
        );
        assert_eq!(app.focus, Pane::Detail);
        mouse(&mut app, MouseEventKind::Drag(left), sheet.x, sheet.y);
        assert!(app.detail.is_selecting());
        let effects = mouse(&mut app, MouseEventKind::Up(left), sheet.x, sheet.y);
        let lines = "POST /podio/hook\nhost: hooks.example.com";
        assert_eq!(copied(&effects), Some(lines));
        assert!(!app.detail.is_selecting());
    }

    #[test]
    fn the_border_is_dragged_and_a_click_copies_nothing() {
        let left = MouseButton::Left;
        let mut app = settled();
        let layout = app.layout().unwrap();
        let border = layout.detail.x;
        mouse(&mut app, MouseEventKind::Down(left), border, 9);
        mouse(&mut app, MouseEventKind::Drag(left), border + 9, 9);
        mouse(&mut app, MouseEventKind::Up(left), border + 9, 9);
        assert!(app.layout().unwrap().detail.x > border && !app.detail.is_selecting());
        let sheet = app.layout().unwrap().sheet();
        mouse(&mut app, MouseEventKind::Down(left), sheet.x, sheet.y);
        let effects = mouse(&mut app, MouseEventKind::Up(left), sheet.x, sheet.y);
        assert_eq!(effects, []);
    }
}
