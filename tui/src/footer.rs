//! The bottom of the screen: the keys that do something here, printed from the keymap; above them
//! the notices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::App;
use crate::keymap::{Binding, Context, Key};
use crate::line::{Line, cells};
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
        lines.rev().collect::<Vec<_>>()
    });
    for (line, y) in lines.zip(rows) {
        let line = Line::new().space(1).join(line).space(1);
        let width = cells(line.width()).min(room);
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
    let contexts = app.contexts();
    let labelled = |context: &Context| {
        app.keymap()
            .of(*context)
            .filter(|binding| !binding.label.is_empty() && works(app, &contexts, binding))
    };
    let last =
        |binding: &&Binding| matches!(binding.label, "help" | "quit" | "close" | "leave" | "back");
    let all: Vec<&Binding> = contexts.iter().flat_map(labelled).collect();
    let closing: Line = all
        .iter()
        .copied()
        .filter(|b| last(b))
        .map(hint)
        .fold(Line::new(), Line::join);
    let mut line = Line::new();
    for hint in all.iter().copied().filter(|b| !last(b)).map(hint) {
        if line.width() + hint.width() + closing.width() <= room + 2 {
            line = line.join(hint);
        }
    }
    line.join(closing)
}

/// Whether the key that would be shown does this here: a nearer place may have taken it.
fn works(app: &App, contexts: &[Context], binding: &Binding) -> bool {
    let is_text = |key: &&Key| app.is_typing() && key.typed().is_some();
    let key = binding.keys.first().filter(|key| !is_text(key));
    key.and_then(|key| app.keymap().resolve(contexts, *key)) == Some(binding.action)
}

fn hint(binding: &Binding) -> Line {
    let key = binding
        .keys
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    Line::of(Role::Accent, key)
        .space(1)
        .put(Role::Quiet, binding.label)
        .space(2)
}
