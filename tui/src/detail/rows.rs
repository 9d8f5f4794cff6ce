//! Lays lines out as rows of the screen. If wrapped, a long line takes several rows. If unwrapped,
//! it takes one row that is cut into pieces once, so that drawing and searching at the end of a
//! line of one mebibyte cost no more than at its start.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::render_options::RenderOptions;
use crate::line::{Line, cells};
use crate::theme::{Role, Theme};
use crate::wrap;

/// Cells per piece of an unwrapped line: about the width of a screen, so that each frame draws few
/// pieces and little that is out of sight.
const PIECE: usize = 256;

/// The empty [`Rows`].
static NONE: Rows = Rows {
    all: Vec::new(),
    widest: 0,
    unwrapped: false,
    body: None,
};

/// The rows of a tab.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rows {
    all: Vec<DetailRow>,
    /// Cells of the widest row.
    widest: usize,
    /// Whether lines continue beyond the edge.
    unwrapped: bool,
    /// The row with the heading that names the form of the body below.
    body: Option<usize>,
}

/// A row: its pieces, and whether it continues the line of the row above.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DetailRow {
    /// The pieces, each with the number of cells before it.
    pieces: Vec<(usize, Line)>,
    continues: bool,
}

impl Rows {
    pub(crate) fn lay_out(lines: Vec<Line>, options: RenderOptions) -> Self {
        let mut rows = Vec::with_capacity(lines.len());
        for line in lines {
            if options.wrap {
                let wrapped = wrap::rows(line, options.width).into_iter().enumerate();
                rows.extend(wrapped.map(|(index, (indent, line))| DetailRow {
                    pieces: vec![(indent, line)],
                    continues: index > 0,
                }));
            } else {
                rows.push(DetailRow::from_line(line));
            }
        }
        let widest = rows.iter().map(DetailRow::width).max().unwrap_or(0);
        Self {
            all: rows,
            // The space at which a line was broken may be beyond the edge.
            widest: if options.wrap {
                widest.min(options.width)
            } else {
                widest
            },
            unwrapped: !options.wrap,
            body: None,
        }
    }

    /// Sets the line that has the heading of the body.
    #[must_use]
    pub(super) fn with_body(mut self, line: Option<usize>) -> Self {
        self.body = line.map(|line| self.row_of(line));
        self
    }

    /// Returns empty rows.
    pub(super) fn none() -> &'static Self {
        &NONE
    }

    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the number of cells of the widest row.
    pub(super) fn widest(&self) -> usize {
        self.widest
    }

    /// Returns the row with the heading of the body.
    pub(super) fn body(&self) -> Option<usize> {
        self.body
    }

    /// Returns the index of the line to which a row belongs.
    pub(super) fn line_of(&self, row: usize) -> usize {
        let rows = self.all.iter().take(row.saturating_add(1));
        rows.filter(|row| !row.continues).count().saturating_sub(1)
    }

    /// Returns the first row of a line.
    pub(super) fn row_of(&self, line: usize) -> usize {
        let mut rows = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, row)| !row.continues);
        rows.nth(line).map_or(self.all.len(), |(row, _)| row)
    }

    /// Returns the rows from the first row of the line of `from` to the
    /// last row of the line of `to`.
    pub(super) fn whole(&self, from: usize, to: usize) -> Range<usize> {
        let continues = |row: &DetailRow| row.continues;
        let before = self.all.iter().take(from + 1).rev();
        let above = before.take_while(|row| row.continues).count();
        let below = self
            .all
            .iter()
            .skip(to + 1)
            .take_while(|row| continues(row));
        let end = (to + 1 + below.count()).min(self.all.len());
        from.saturating_sub(above).min(end)..end
    }

    /// Returns the text of these rows. Rows of the same line are joined.
    pub(super) fn text(&self, rows: Range<usize>) -> String {
        let mut text = String::new();
        let start = rows.start;
        for (index, row) in self.all.iter().enumerate().take(rows.end).skip(start) {
            if index > start && !row.continues {
                text.push('\n');
            }
            row.pieces
                .iter()
                .for_each(|(_, line)| line.add_text(&mut text));
        }
        text
    }

    /// Returns every piece with its row, its index in the row, and whether it begins a line.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (usize, usize, bool, &Line)> {
        self.all.iter().enumerate().flat_map(|(at, row)| {
            let pieces = row.pieces.iter().enumerate();
            pieces.map(move |(piece, (_, line))| (at, piece, piece == 0 && !row.continues, line))
        })
    }

    /// Returns the range of cells that a part of a piece takes in its row. `part` is a range
    /// of bytes in the text of the piece.
    pub(super) fn cells(&self, row: usize, piece: usize, part: Range<usize>) -> Range<usize> {
        let found = self.all.get(row).and_then(|row| row.pieces.get(piece));
        let Some((start, line)) = found else {
            return 0..0;
        };
        let from = start + line.cells_before(part.start);
        from..(start + line.cells_before(part.end)).max(from)
    }

    /// Draws a row in `area` without its first `left` cells, and marks the
    /// sides at which it continues.
    pub(super) fn draw(
        &self,
        row: usize,
        left: usize,
        area: Rect,
        theme: Theme,
        buffer: &mut Buffer,
    ) {
        let Some(row) = self.all.get(row).filter(|_| area.area() > 0) else {
            return;
        };
        let first = row.pieces.partition_point(|(start, _)| *start <= left);
        for (start, line) in row.pieces.iter().skip(first.saturating_sub(1)) {
            let before = cells(start.saturating_sub(left)).min(area.width);
            let place = Rect {
                x: area.x + before,
                width: area.width - before,
                ..area
            };
            if place.width == 0 {
                break;
            }
            line.skip(left.saturating_sub(*start))
                .draw(place, theme, buffer);
        }
        let width = if self.unwrapped { row.width() } else { 0 };
        let mut edge = |x: u16, sign: &str| {
            let cell = Rect {
                x,
                width: 1,
                ..area
            };
            Line::of(Role::Accent, sign).draw(cell, theme, buffer);
        };
        if width > left + usize::from(area.width) {
            edge(area.right() - 1, "›");
        }
        if left > 0 && width > 0 {
            edge(area.x, "‹");
        }
    }
}

impl DetailRow {
    /// Creates the row of an unwrapped line.
    fn from_line(line: Line) -> Self {
        let mut before = 0;
        let mut placed = |line: Line| {
            let start = before;
            before += line.width();
            (start, line)
        };
        Self {
            pieces: line.wrap(PIECE).into_iter().map(&mut placed).collect(),
            continues: false,
        }
    }

    fn width(&self) -> usize {
        let last = self.pieces.last();
        last.map_or(0, |(start, line)| start + line.width())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::options;

    fn draw_rows(rows: &Rows, left: usize, width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        rows.draw(0, left, area, Theme::Ansi, &mut buffer);
        crate::testing::text(&buffer).trim_end().to_owned()
    }

    fn unwrapped_rows(text: &str) -> Rows {
        let options = RenderOptions {
            wrap: false,
            ..options(10)
        };
        Rows::lay_out(vec![Line::of(Role::Plain, text)], options)
    }

    #[test]
    fn an_unwrapped_line_is_one_row_and_shows_where_it_goes_on() {
        let digits = "0123456789".repeat(80);
        let rows = unwrapped_rows(&digits);
        assert_eq!((rows.len(), rows.widest()), (1, 800));
        assert_eq!(draw_rows(&rows, 0, 10), "012345678›");
        assert_eq!(draw_rows(&rows, 251, 10), "‹23456789›");
        assert_eq!(draw_rows(&rows, 790, 10), "‹123456789");
        assert_eq!(draw_rows(&rows, 900, 10), "‹");
        assert_eq!(rows.text(0..1), digits);
    }

    #[test]
    fn a_wide_character_cut_in_two_leaves_a_gap() {
        let rows = unwrapped_rows("ab日本語cd");
        assert_eq!(draw_rows(&rows, 1, 20).replace(' ', ""), "‹日本語cd");
        assert_eq!(draw_rows(&rows, 3, 6), "‹本 語 ›");
    }

    #[test]
    fn rows_of_one_line_belong_together() {
        let lines = ["short", "a line of more than ten cells", "end"];
        let lines = lines.map(|line| Line::of(Role::Plain, line)).to_vec();
        let rows = Rows::lay_out(lines, options(10));
        assert_eq!(rows.len(), 5);
        assert_eq!(rows.whole(2, 2), 1..4);
        assert_eq!(rows.whole(0, 3), 0..4);
        assert_eq!(rows.text(1..5), "a line of more than ten cells\nend");
        assert_eq!((rows.line_of(3), rows.row_of(1), rows.row_of(2)), (1, 1, 4));
        assert_eq!(rows.row_of(9), 5);
    }
}
