//! A window of lines that scrolls, with a question under them where they ask for an answer.

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

/// Cells of a line on this screen.
pub(crate) fn room(screen: Rect) -> usize {
    inner(centered(screen, WIDTH, u16::MAX)).width.into()
}

/// Which lines are shown, of how many, where they do not fit.
pub(crate) fn part(top: usize, height: u16, all: usize) -> Line {
    let height = usize::from(height);
    if all <= height {
        return Line::new();
    }
    let last = (top + height).min(all);
    let more = if last < all { " ↓" } else { "" };
    Line::of(Role::Accent, format!("{}–{last} of {all}{more}", top + 1))
}

/// The first of `all` lines that is shown after an action, `height` at once; `top` was it before.
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

/// Lines, how far they are scrolled, and what they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    title: &'static str,
    hint: String,
    text: Vec<Line>,
    top: usize,
}

impl Lines {
    /// A window with these lines; `hint` says what the keys do.
    pub(crate) fn new(title: &'static str, hint: impl Into<String>, lines: Vec<Line>) -> Self {
        Self {
            title,
            hint: hint.into(),
            text: lines,
            top: 0,
        }
    }

    /// Begins at this line.
    #[must_use]
    pub(crate) fn from(mut self, top: usize) -> Self {
        self.top = top;
        self
    }

    /// The first line that is shown.
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

    /// Where the window is.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        centered(screen, WIDTH, cells(self.text.len() + 2))
    }
}
