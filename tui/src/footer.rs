//! The bottom of the screen: the keys that do something here, printed from the keymap; above them
//! the notices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::{App, Pane};
use crate::keymap::{Action, Binding, Context, Key};
use crate::line::{Line, cells};
use crate::modal::Modal;
use crate::modal::form::Form;
use crate::prose::wrapped;
use crate::theme::Role;

/// Draws the keys into the row `area`.
pub(crate) fn view(app: &App, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(2);
    let area = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    keys(app, room).draw(area, app.theme(), buffer);
}

/// Rows of notices at once, of which the newest gets as many as it needs.
const NOTICES: u16 = 4;

/// Draws the notices over the rows above `area`, the newest lowest.
pub(crate) fn toasts(app: &App, area: Rect, buffer: &mut Buffer) {
    let bottom = area.top().saturating_sub(1);
    let rows = (bottom.saturating_sub(NOTICES)..bottom).rev();
    let room = area.width.saturating_sub(6);
    // What does not fit on a row goes on below: the end of an error is what to do about it.
    let lines = app.toasts.iter().rev().flat_map(|toast| {
        let lines = wrapped(toast.role, &toast.text, usize::from(room.saturating_sub(2)));
        let lines = lines.into_iter().take(usize::from(NOTICES));
        let lines: Vec<_> = lines
            .map(|line| Line::new().space(1).join(line).space(1))
            .collect();
        // The rows of one notice stand below each other.
        let width = lines.iter().map(Line::width).max().unwrap_or_default();
        lines.into_iter().rev().map(move |line| (line, width))
    });
    for ((line, width), y) in lines.zip(rows) {
        let width = cells(width).min(room);
        let x = area.right().saturating_sub(width + 3);
        let place = Rect {
            x,
            y,
            width,
            height: 1,
        };
        Clear.render(place, buffer);
        line.draw(place, app.theme(), buffer);
        buffer.set_style(place, app.theme().selection(true));
    }
}

/// As many keys as fit, in the order of the table; help and the way out always.
fn keys(app: &App, room: usize) -> Line {
    if let Some(keys) = mode(app) {
        return keys;
    }
    let contexts = app.contexts();
    let labelled = |context: &Context| {
        app.keymap()
            .of(*context)
            .filter(|binding| !binding.label.is_empty() && works(app, &contexts, binding))
    };
    let last =
        |binding: &&Binding| matches!(binding.label, "help" | "quit" | "close" | "leave" | "back");
    let mut all: Vec<&Binding> = contexts.iter().flat_map(labelled).collect();
    all.sort_by_key(|binding| rank(app, binding));
    let closing: Line = all
        .iter()
        .copied()
        .filter(|b| last(b))
        .map(|binding| hint(app, binding))
        .fold(Line::new(), Line::join);
    let mut line = Line::new();
    let others = all.iter().copied().filter(|b| !last(b));
    for hint in others.map(|binding| hint(app, binding)) {
        if line.width() + hint.width() + closing.width() <= room + 2 {
            line = line.join(hint);
        }
    }
    line.join(closing)
}

/// The keys of what has been begun and waits for its end.
fn mode(app: &App) -> Option<Line> {
    use Context::{Browse, Detail, List};
    let keys: &[_] = if app.has_focus(Pane::List) && app.list.range().is_some() {
        &[
            (List, Action::MarkRange, "mark"),
            (Browse, Action::Replay, "replay"),
            (List, Action::Back, "leave"),
        ]
    } else if app.has_focus(Pane::Detail) && app.detail.is_selecting() {
        &[
            (Browse, Action::Copy, "copy"),
            (Detail, Action::Down, "more"),
            (Detail, Action::Back, "leave"),
        ]
    } else {
        return None;
    };
    let hint = |(context, action, label): &(Context, Action, &'static str)| {
        let key = app.keymap().key_in(*context, *action)?;
        let key = Line::of(Role::Accent, key.to_string()).space(1);
        Some(key.put(Role::Quiet, *label).space(2))
    };
    Some(keys.iter().filter_map(hint).fold(Line::new(), Line::join))
}

/// What comes before the order of the table: the open event is read tab by tab; the hooks are no
/// event's, so that they follow what can be done with one.
fn rank(app: &App, binding: &Binding) -> u8 {
    match binding.action {
        Action::Stop => 0,
        Action::NextTab if app.has_focus(Pane::Detail) => 0,
        Action::Hooks => 2,
        _ => 1,
    }
}

/// Whether the key that would be shown does this here: a nearer place may have taken it, or there
/// is nothing to do it with.
fn works(app: &App, contexts: &[Context], binding: &Binding) -> bool {
    let is_text = |key: &&Key| app.is_typing() && key.typed().is_some();
    let key = binding.keys.first().filter(|key| !is_text(key));
    let taken = key.and_then(|key| app.keymap().resolve(contexts, *key)) != Some(binding.action);
    let idle = match binding.context {
        Context::List | Context::Browse => idle(app, binding.action),
        Context::Typing => {
            binding.action == Action::NextTab && !matches!(form(app), Some(form) if form.is_long())
        }
        _ => false,
    };
    !taken && !idle
}

/// Whether an action of the panes has nothing to work on.
fn idle(app: &App, action: Action) -> bool {
    use Action as A;
    let empty = app.list.selected().is_none() && !app.list.is_loading();
    let all = app.list.shows_all() && !app.shows_only_marked();
    match action {
        A::Open | A::Mark | A::Replay | A::Explain | A::Edit | A::Copy | A::Export | A::NextTab => {
            empty
        }
        A::Filter => empty && all,
        A::Stop => app.batch.is_none() && app.imported_so_far().is_none(),
        A::Back => all && app.has_focus(Pane::List),
        _ => false,
    }
}

/// The form that has the keys.
fn form(app: &App) -> Option<&Form> {
    match app.modals().last() {
        Some(Modal::Form(form, _)) => Some(form),
        _ => None,
    }
}

fn hint(app: &App, binding: &Binding) -> Line {
    let key = binding
        .keys
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let label = match (form(app), binding.action) {
        (Some(form), Action::Open) => form.deed(),
        _ => binding.label,
    };
    Line::of(Role::Accent, key)
        .space(1)
        .put(Role::Quiet, label)
        .space(2)
}

#[cfg(test)]
mod tests {
    use crate::message::Message;
    use crate::testing::{app, frame, now, press, settle, text};

    fn footer(keys: &str, events: i64) -> String {
        let mut app = app(80, 24);
        settle(&mut app, Message::Tick(now()), events);
        if !keys.is_empty() {
            press(&mut app, keys, events);
        }
        let frame = text(&frame(&app));
        frame.lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn an_empty_history_offers_what_can_be_done_without_an_event() {
        let offered = footer("", 0);
        assert!(offered.contains("t trigger"), "{offered}");
        assert!(!offered.contains("replay"), "{offered}");
    }

    #[test]
    fn a_filter_in_force_offers_the_way_back_to_all_events() {
        assert!(footer("/ x enter", 500).contains("esc show all"));
        assert!(!footer("", 500).contains("esc show all"));
    }

    #[test]
    fn a_form_offers_what_it_does() {
        let offered = footer("x", 500);
        assert!(offered.contains("enter export"), "{offered}");
        assert!(offered.contains("tab next field"), "{offered}");
        assert!(!footer(";", 500).contains("tab"));
    }

    #[test]
    fn the_open_event_offers_its_tabs_first() {
        assert!(footer("enter", 500).starts_with(" tab next tab"));
    }
}
