//! A line of the screen: pieces of safe text, each with a role. Panes build lines, and only
//! [`Line::draw`] writes text into cells.

use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::clusters::width;
use crate::safe_text::SafeText;
use crate::theme::{Role, Theme};

/// A line of pieces that are drawn from left to right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line {
    pieces: Vec<(Role, SafeText)>,
    /// Cells by which continuation rows are indented if the line is wrapped.
    hang: usize,
}

impl Line {
    /// Creates an empty line.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Creates a line of one piece.
    pub(crate) fn of(role: Role, text: impl Into<SafeText>) -> Self {
        Self::new().with(role, text)
    }

    /// Returns the line with a piece added at the end.
    #[must_use]
    pub(crate) fn with(mut self, role: Role, text: impl Into<SafeText>) -> Self {
        self.push(role, text);
        self
    }

    /// Adds a piece at the end.
    pub(crate) fn push(&mut self, role: Role, text: impl Into<SafeText>) {
        self.pieces.push((role, text.into()));
    }

    /// Returns the line with the pieces of another line added at the end.
    #[must_use]
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Adds a piece that is cut or filled to exactly `cells`, with its text at the left.
    #[must_use]
    pub(crate) fn column(self, role: Role, text: impl Into<SafeText>, cells: usize) -> Self {
        let text = text.into().fit(cells);
        let fill = cells - text.width();
        self.with(role, text.as_str()).space(fill)
    }

    /// Adds a piece that is cut or filled to exactly `cells`, with its text at the right.
    #[must_use]
    pub(crate) fn column_right(self, role: Role, text: impl Into<SafeText>, cells: usize) -> Self {
        let text = text.into().fit(cells);
        let fill = cells - text.width();
        self.space(fill).with(role, text.as_str())
    }

    /// Sets the indent of continuation rows, so that they begin below the
    /// value and not below the label.
    #[must_use]
    pub(crate) fn hanging(mut self, cells: usize) -> Self {
        self.hang = cells;
        self
    }

    /// Returns the pieces, from left to right.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (Role, &SafeText)> {
        self.pieces.iter().map(|(role, text)| (*role, text))
    }

    /// Returns the number of cells by which continuation rows are indented.
    pub(crate) fn hang(&self) -> usize {
        self.hang
    }

    /// Adds `cells` blank cells.
    #[must_use]
    pub(crate) fn space(self, cells: usize) -> Self {
        if cells == 0 {
            self
        } else {
            self.with(Role::Plain, " ".repeat(cells))
        }
    }

    /// Returns the line cut or filled to exactly `cells`. A cut line ends with an ellipsis.
    #[must_use]
    pub(crate) fn fit(self, cells: usize) -> Self {
        let width = self.width();
        if width <= cells {
            return self.space(cells - width);
        }
        let (mut line, mut room) = (Self::new(), cells.saturating_sub(1));
        for (role, text) in self.pieces {
            let whole = text.width() <= room;
            let part = if whole {
                text
            } else {
                text.pieces(room, usize::MAX).swap_remove(0)
            };
            room = room.saturating_sub(part.width());
            line.pieces.push((role, part));
            if !whole {
                line = line.with(role, "…");
                break;
            }
        }
        let gap = cells.saturating_sub(line.width());
        line.space(gap)
    }

    /// Returns the width of the line, in cells.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }

    /// Returns the text without roles.
    pub(crate) fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Appends the text of the line to `text`.
    pub(crate) fn add_text(&self, text: &mut String) {
        self.pieces
            .iter()
            .for_each(|(_, part)| text.push_str(part.as_str()));
    }

    /// Returns the number of cells before the byte offset `at` in the text.
    pub(crate) fn cells_before(&self, at: usize) -> usize {
        let text = self.text();
        let before = text.split_at_checked(at);
        before.map_or_else(|| width(&text), |(before, _)| width(before))
    }

    /// Returns the line without its first `cells`. Half of a wide character becomes a space.
    #[must_use]
    pub(crate) fn skip(&self, cells: usize) -> Self {
        let (mut line, mut left) = (Self::new(), cells);
        for (role, text) in &self.pieces {
            let width = if left == 0 { 0 } else { text.width() };
            if left > 0 && left >= width {
                left -= width;
                continue;
            }
            let (gap, rest) = text.skip(std::mem::take(&mut left));
            line = line.space(gap);
            line.pieces.push((*role, rest));
        }
        line
    }

    /// Breaks the line into lines of at most `cells`, between any two graphemes.
    pub(crate) fn wrap(self, cells: usize) -> Vec<Self> {
        let cells = cells.max(2);
        if self.width() <= cells {
            return vec![self];
        }
        let (mut lines, mut line, mut used) = (Vec::new(), Self::new(), 0);
        for (role, text) in self.pieces {
            for (index, piece) in text.pieces(cells - used, cells).into_iter().enumerate() {
                if index > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                used += piece.width();
                line.pieces.push((role, piece));
            }
        }
        lines.push(line);
        lines
    }

    /// Draws the line in the first row of `area`, cut at its right edge.
    pub(crate) fn draw(&self, area: Rect, theme: Theme, buffer: &mut Buffer) {
        let mut x = area.x;
        if area.area() > 0 {
            cut_before(area.x, area.y, buffer);
        }
        for (role, text) in &self.pieces {
            let room = usize::from(area.right().saturating_sub(x));
            if room == 0 || area.height == 0 {
                return;
            }
            // The style replaces the style of the cell, so that a border
            // below the text does not show through.
            let style = Style::reset().patch(theme.style(*role));
            if text.as_str().is_ascii() {
                (x, _) = buffer.set_stringn(x, area.y, text.as_str(), room, style);
                continue;
            }
            for cluster in text.clusters() {
                let room = usize::from(area.right().saturating_sub(x));
                if width(cluster) > room {
                    return;
                }
                (x, _) = buffer.set_stringn(x, area.y, cluster, room, style);
            }
        }
    }
}

/// Clears a wide character that would extend into the cell at `x`, where other text begins.
/// Otherwise the terminal would draw one of the two in the wrong place.
pub(crate) fn cut_before(x: u16, y: u16, buffer: &mut Buffer) {
    let before = x.checked_sub(1).and_then(|x| buffer.cell_mut((x, y)));
    if let Some(cell) = before.filter(|cell| cell.cell_width() > 1) {
        cell.set_symbol(" ");
    }
}

/// Converts a number of cells to ratatui's type. A larger number is beyond every screen.
pub(crate) fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Cell;

    use super::*;

    #[test]
    fn columns_are_exactly_as_wide_as_asked() {
        let line = Line::new()
            .column(Role::Plain, "日本語", 5)
            .column_right(Role::Ok, "7", 3);
        assert_eq!(line.text(), "日本…  7");
        assert_eq!(line.width(), 8);
    }

    #[test]
    fn a_fitted_line_is_exactly_as_wide_as_asked_whatever_is_in_it() {
        let line = Line::of(Role::Name, "日本").with(Role::Text, "語x");
        for (cells, text) in [
            (9, "日本語x  "),
            (7, "日本語x"),
            (6, "日本… "),
            (4, "日… "),
            (1, "…"),
        ] {
            assert_eq!(line.clone().fit(cells).text(), text, "{cells}");
        }
    }

    #[test]
    fn wrapping_loses_nothing_and_never_exceeds_the_width() {
        let line = Line::of(Role::Name, "abcdef").with(Role::Text, "日本語ghi");
        let wrapped = line.clone().wrap(5);
        assert!(wrapped.iter().all(|part| part.width() <= 5), "{wrapped:?}");
        let text: String = wrapped.iter().map(Line::text).collect();
        assert_eq!(text, line.text());
    }

    #[test]
    fn drawing_stays_within_the_area() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        let line = Line::of(Role::Plain, "abcdef");
        line.draw(Rect::new(1, 0, 3, 1), Theme::Ansi, &mut buffer);
        let text: String = buffer.content().iter().map(Cell::symbol).collect();
        assert_eq!(text, " abc  ");
    }
}
