//! The command palette: everything that can be done here, found by a few of its letters.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::App;
use crate::frame::{Frame, Titles};
use crate::input::Input;
use crate::keymap::{Action, Binding, Context, Key, Keymap};
use crate::layout::{centered, inner};
use crate::line::Line;
use crate::theme::Role;

/// Rows of the window: the line that is typed, a gap, and the best matches.
const HEIGHT: u16 = 14;

/// Cells of the window.
const WIDTH: u16 = 60;

/// The open palette.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Palette {
    contexts: Vec<Context>,
    input: Input,
    chosen: usize,
}

impl Palette {
    /// A palette of what can be done in these places.
    pub(crate) fn new(contexts: Vec<Context>) -> Self {
        Self {
            contexts,
            ..Self::default()
        }
    }

    /// A key was pressed. Returns what shall be done, once it is chosen.
    pub(crate) fn key(
        &mut self,
        key: Key,
        action: Option<Action>,
        keymap: &Keymap,
    ) -> Option<Action> {
        let found = self.found(keymap);
        match action {
            Some(Action::Open) => return found.get(self.chosen).map(|binding| binding.action),
            Some(Action::Down) => {
                self.chosen = (self.chosen + 1).min(found.len().saturating_sub(1));
            }
            Some(Action::Up) => self.chosen = self.chosen.saturating_sub(1),
            _ if self.input.key(key) => self.chosen = 0,
            _ => {}
        }
        None
    }

    /// What matches, the best first.
    fn found<'a>(&self, keymap: &'a Keymap) -> Vec<&'a Binding> {
        let text = self.input.text();
        let pattern = Pattern::parse(&text, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut scratch = Vec::new();
        let bindings = self.contexts.iter().flat_map(|context| keymap.of(*context));
        let score = |binding: &'a Binding| {
            let words = format!("{} {}", binding.help, binding.action.name());
            let score = pattern.score(Utf32Str::new(&words, &mut scratch), &mut matcher)?;
            Some((score, binding))
        };
        let mut found: Vec<(u32, &Binding)> = bindings.filter_map(score).collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, binding)| binding).collect()
    }

    /// Draws the palette over `screen`.
    pub(crate) fn view(&self, app: &App, screen: Rect, buffer: &mut Buffer) {
        let area = centered(screen, WIDTH, HEIGHT);
        Clear.render(area, buffer);
        let titles = Titles {
            left: Line::of(Role::Strong, "Do"),
            right: Line::of(Role::Quiet, "enter does it · esc closes"),
            ..Titles::default()
        };
        Frame {
            focused: true,
            titles,
        }
        .draw(area, app.theme(), buffer);
        let area = inner(area);
        let width = usize::from(area.width);
        let typed = Line::of(Role::Accent, ":").join(self.input.line(width - 1, None));
        typed.draw(area, app.theme(), buffer);
        let found = self.found(app.keymap());
        for ((index, binding), row) in found.iter().enumerate().zip(area.rows().skip(2)) {
            let key = binding
                .keys
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            let line = Line::new()
                .column(Role::Plain, binding.help, width.saturating_sub(12))
                .column_right(Role::Accent, key, 12);
            line.draw(row, app.theme(), buffer);
            if index == self.chosen {
                buffer.set_style(row, app.theme().selection(true));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_what_can_be_done() {
        let keymap = Keymap::default();
        let mut palette = Palette::new(vec![Context::List, Context::Browse, Context::Global]);
        for letter in ["p", "a", "r", "a", "m"] {
            assert_eq!(palette.key(letter.parse().unwrap(), None, &keymap), None);
        }
        let enter = "enter".parse().unwrap();
        assert_eq!(
            palette.key(enter, Some(Action::Open), &keymap),
            Some(Action::Params)
        );
    }
}
