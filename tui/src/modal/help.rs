//! The help: every key of the contexts from which it was opened, printed from the keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context, Keymap};
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::theme::Role;
use crate::widget::lines::{part, scroll};

/// Cells of the window, which fit the longest line of the table.
const WIDTH: u16 = 66;

/// Cells of the column of keys.
const KEYS: usize = 22;

/// The open help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Help {
    contexts: Vec<Context>,
    top: usize,
}

impl Help {
    /// Creates the help for these contexts.
    pub(crate) fn new(contexts: Vec<Context>) -> Self {
        Self { contexts, top: 0 }
    }

    pub(crate) fn act(&mut self, action: Action, keymap: &Keymap, screen: Rect) {
        let lines = self.lines(keymap);
        let height = usize::from(inner(area(&lines, screen)).height);
        self.top = scroll(action, self.top, lines.len(), height);
    }

    /// Returns the area of the window.
    pub(crate) fn area(&self, keymap: &Keymap, screen: Rect) -> Rect {
        area(&self.lines(keymap), screen)
    }

    fn lines(&self, keymap: &Keymap) -> Vec<Line> {
        let mut lines = Vec::new();
        for context in &self.contexts {
            if !lines.is_empty() {
                lines.push(Line::new());
            }
            lines.push(Line::of(Role::Strong, context.title()));
            for binding in keymap.of(*context) {
                // A nearer context may use the key for something else.
                let does = |key| keymap.resolve(&self.contexts, key) == Some(binding.action);
                let works = binding.keys.iter().filter(|key| does(**key));
                let keys: Vec<String> = works.map(ToString::to_string).collect();
                if keys.is_empty() {
                    continue;
                }
                let line = Line::new().column(Role::Accent, keys.join("  "), KEYS);
                lines.push(line.with(Role::Plain, binding.help));
            }
        }
        lines
    }
}

/// Draws the help over `screen`.
pub(crate) fn view(help: &Help, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let lines = help.lines(env.keymap);
    let area = area(&lines, screen);
    Clear.render(area, buffer);
    let hint = env.keymap.closes();
    let titles = Titles {
        left: Line::of(Role::Strong, "Keys"),
        right: Line::of(Role::Quiet, hint),
        below: part(help.top, inner(area).height, lines.len()),
    };
    Frame {
        focused: true,
        titles,
    }
    .draw(area, env.theme, buffer);
    for (line, row) in lines.iter().skip(help.top).zip(inner(area).rows()) {
        line.draw(row, env.theme, buffer);
    }
}

fn area(lines: &[Line], screen: Rect) -> Rect {
    centered(screen, WIDTH, cells(lines.len() + 2))
}
