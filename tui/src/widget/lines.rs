//! A window of lines that scrolls, for reading or for a confirmation.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::Action;
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::theme::Role;

/// Cells of the window.
const WIDTH: u16 = 96;

/// Returns the number of cells per line on this screen.
pub(crate) fn room(screen: Rect) -> usize {
    inner(centered(screen, WIDTH, u16::MAX)).width.into()
}

/// Returns which lines are shown, and how many there are, if they do not all fit.
pub(crate) fn part(top: usize, height: u16, all: usize) -> Line {
    let height = usize::from(height);
    if all <= height {
        return Line::new();
    }
    let last = (top + height).min(all);
    let more = if last < all { " ↓" } else { "" };
    Line::of(Role::Accent, format!("{}–{last} of {all}{more}", top + 1))
}

/// Returns the first of `all` lines to show after an action, if `height` fit. `top` is
/// the first line before the action.
pub(crate) fn scroll(action: Action, top: usize, all: usize, height: usize) -> usize {
    let last = all.saturating_sub(height);
    let top = match action {
        Action::Down => top + 1,
        Action::Up => top.saturating_sub(1),
        Action::PageDown => top + height,
        Action::PageUp => top.saturating_sub(height),
        Action::Top => 0,
        Action::Bottom => last,
        _ => top,
    };
    top.min(last)
}

/// The lines, the scroll position, the title, and the hint for the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    title: &'static str,
    hint: String,
    text: Vec<Line>,
    top: usize,
}

impl Lines {
    /// Creates a window with these lines. `hint` says what the keys do.
    pub(crate) fn new(title: &'static str, hint: impl Into<String>, lines: Vec<Line>) -> Self {
        Self {
            title,
            hint: hint.into(),
            text: lines,
            top: 0,
        }
    }

    /// Scrolls to this line.
    #[must_use]
    pub(crate) fn from(mut self, top: usize) -> Self {
        self.top = top;
        self
    }

    /// Returns the first line that is shown.
    pub(crate) fn top(&self) -> usize {
        self.top
    }

    pub(crate) fn act(&mut self, action: Action, screen: Rect) {
        let height = usize::from(inner(self.area(screen)).height);
        self.top = scroll(action, self.top, self.text.len(), height);
    }

    /// Draws the window over `screen`.
    pub(crate) fn view(&self, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
        let area = self.area(screen);
        Clear.render(area, buffer);
        let titles = Titles {
            left: Line::of(Role::Strong, self.title),
            right: Line::of(Role::Accent, &self.hint),
            below: part(self.top, inner(area).height, self.text.len()),
        };
        Frame {
            focused: true,
            titles,
        }
        .draw(area, env.theme, buffer);
        for (line, row) in self.text.iter().skip(self.top).zip(inner(area).rows()) {
            line.draw(row, env.theme, buffer);
        }
    }

    /// Returns the area of the window.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        centered(screen, WIDTH, cells(self.text.len() + 2))
    }
}
