//! Tests of selecting lines in the detail, by keys and by dragging, and of copying them.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::app::App;
use crate::effect::Effect;
use crate::layout::Pane;
use crate::message::Message;
use crate::testing::{app, key, now, press, settle, shows};

fn settled_app() -> App {
    let mut app = app(120, 40);
    settle(&mut app, Message::Tick(now()), 500);
    app
}

fn mouse(app: &mut App, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    app.update(Message::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

fn copied_text(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::ToClipboard(bytes) => Some(std::str::from_utf8(bytes).unwrap()),
        _ => None,
    })
}

#[test]
fn selected_lines_are_copied_as_shown_and_the_menu_stays_for_the_rest() {
    let mut app = settled_app();
    press(&mut app, "enter 3 v j", 500);
    let effects = app.update(key("y"));
    let lines = "POST /podio/hook\nhost: hooks.example.com";
    assert_eq!(copied_text(&effects), Some(lines));
    assert!(shows(&app, "Copied 2 lines"));
    assert!(!app.detail.is_selecting() && app.windows.is_empty());
    app.update(key("y"));
    assert_eq!(app.windows.iter().count(), 1);
}

#[test]
fn escape_leaves_the_selection_then_the_search_then_the_detail() {
    let mut app = settled_app();
    press(&mut app, "enter 3 / h o s t enter v esc", 500);
    assert!(!app.detail.is_selecting() && app.panes.focus == Pane::Detail);
    press(&mut app, "esc", 500);
    assert_eq!(app.panes.focus, Pane::Detail);
    press(&mut app, "esc", 500);
    assert_eq!(app.panes.focus, Pane::List);
}

#[test]
fn dragging_selects_lines_and_letting_go_copies_them() {
    let left = MouseButton::Left;
    let mut app = settled_app();
    press(&mut app, "3", 500);
    let sheet = app.layout().unwrap().sheet();
    mouse(
        &mut app,
        MouseEventKind::Down(left),
        sheet.x + 3,
        sheet.y + 1,
    );
    assert_eq!(app.panes.focus, Pane::Detail);
    mouse(&mut app, MouseEventKind::Drag(left), sheet.x, sheet.y);
    assert!(app.detail.is_selecting());
    let effects = mouse(&mut app, MouseEventKind::Up(left), sheet.x, sheet.y);
    let lines = "POST /podio/hook\nhost: hooks.example.com";
    assert_eq!(copied_text(&effects), Some(lines));
    assert!(!app.detail.is_selecting());
}

#[test]
fn the_border_is_dragged_and_a_click_copies_nothing() {
    let left = MouseButton::Left;
    let mut app = settled_app();
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
