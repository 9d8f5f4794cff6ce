//! Finds a text in the rows of a tab. It is pure, and searches once when the text or the
//! tab changes, not for every frame.

use std::ops::Range;

use super::rows::Rows;

/// Maximum number of matches to find. With more, a person types another letter.
pub(super) const MOST: usize = 10_000;

/// All matches of a text, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hits {
    spans: Vec<Span>,
    /// The indexes of the spans with which a match begins.
    begins: Vec<usize>,
}

/// The part of a match that is in one piece of a row. A match has several
/// spans if its line is wrapped or cut.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    row: usize,
    piece: usize,
    /// Range of bytes in the text of the piece.
    part: Range<usize>,
}

impl Hits {
    /// Searches for a text, ignoring the case of ASCII letters. An empty text has no matches.
    pub(super) fn of(rows: &Rows, text: &str) -> Self {
        let (mut hits, text) = (Self::default(), text.to_ascii_lowercase());
        if text.is_empty() {
            return hits;
        }
        let mut line = JoinedLine::default();
        for (row, piece, is_new, part) in rows.pieces() {
            if is_new {
                hits.find_in_line(&mut line, &text);
                if hits.begins.len() >= MOST {
                    return hits;
                }
            }
            line.pieces.push((row, piece, line.text.len()));
            part.add_text(&mut line.text);
        }
        hits.find_in_line(&mut line, &text);
        hits
    }

    /// Searches one line, and then clears it.
    fn find_in_line(&mut self, line: &mut JoinedLine, wanted: &str) {
        line.text.make_ascii_lowercase();
        let room = MOST.saturating_sub(self.begins.len());
        let mut at = 0;
        for (from, found) in line.text.match_indices(wanted).take(room) {
            let to = from + found.len();
            self.begins.push(self.spans.len());
            let end = |index: usize| {
                let next = line.pieces.get(index + 1);
                next.map_or(line.text.len(), |(_, _, start)| *start)
            };
            while end(at) <= from && at + 1 < line.pieces.len() {
                at += 1;
            }
            for (index, (row, piece, start)) in line.pieces.iter().enumerate().skip(at) {
                if *start >= to {
                    break;
                }
                self.spans.push(Span {
                    row: *row,
                    piece: *piece,
                    part: from.max(*start) - start..to.min(end(index)) - start,
                });
            }
        }
        line.text.clear();
        line.pieces.clear();
    }

    /// Returns the number of matches.
    pub(super) fn len(&self) -> usize {
        self.begins.len()
    }

    /// Returns the row in which a match begins.
    pub(super) fn row(&self, place: usize) -> Option<usize> {
        let span = self
            .begins
            .get(place)
            .and_then(|span| self.spans.get(*span));
        span.map(|span| span.row)
    }

    /// Returns the first match that begins in this row or below; if there
    /// is none, the number of matches.
    pub(super) fn at_or_below(&self, row: usize) -> usize {
        let above = |span: &usize| self.spans.get(*span).is_some_and(|span| span.row < row);
        self.begins.partition_point(above)
    }

    /// Returns the cells that the first span of a match takes in its row.
    pub(super) fn cells(&self, rows: &Rows, place: usize) -> Option<Range<usize>> {
        let span = self.spans.get(*self.begins.get(place)?)?;
        Some(rows.cells(span.row, span.piece, span.part.clone()))
    }

    /// Returns the cells of the matches in a row, each with whether it
    /// belongs to the match `current`.
    pub(super) fn in_row(
        &self,
        rows: &Rows,
        row: usize,
        current: Option<usize>,
    ) -> impl Iterator<Item = (bool, Range<usize>)> {
        let from = self.spans.partition_point(|span| span.row < row);
        let first = current.and_then(|place| self.begins.get(place)).copied();
        let next = current
            .and_then(|place| self.begins.get(place + 1))
            .copied();
        let is_current = move |span: usize| {
            first.is_some_and(|first| first <= span) && next.is_none_or(|next| span < next)
        };
        let spans = self.spans.iter().enumerate().skip(from);
        let here = spans.take_while(move |(_, span)| span.row == row);
        here.map(move |(index, span)| {
            let cells = rows.cells(span.row, span.piece, span.part.clone());
            (is_current(index), cells)
        })
    }
}

/// A line whose pieces are joined into one text, with the offset of each piece.
#[derive(Default)]
struct JoinedLine {
    text: String,
    pieces: Vec<(usize, usize, usize)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::render_options::RenderOptions;
    use crate::line::Line;
    use crate::testing::options;
    use crate::theme::Role;

    fn rows(texts: &[&str], options: RenderOptions) -> Rows {
        let line = |text: &&str| Line::of(Role::Plain, *text);
        Rows::lay_out(texts.iter().map(line).collect(), options)
    }

    fn cells(rows: &Rows, hits: &Hits, row: usize) -> Vec<(usize, usize)> {
        let cells = hits.in_row(rows, row, None).map(|(_, cells)| cells);
        cells.map(|cells| (cells.start, cells.end)).collect()
    }

    #[test]
    fn every_place_is_found_also_where_a_line_is_wrapped() {
        let rows = rows(&["needle hay nEEdle", "日本needle"], options(10));
        let hits = Hits::of(&rows, "Needle");
        assert_eq!(hits.len(), 3);
        assert_eq!(cells(&rows, &hits, 0), [(0, 6)]);
        assert_eq!(cells(&rows, &hits, 1), [(0, 6)]);
        assert_eq!(cells(&rows, &hits, 2), [(4, 10)]);
        let over = Hits::of(&rows, "hay needle");
        assert_eq!(over.len(), 1);
        assert_eq!(
            (cells(&rows, &over, 0), cells(&rows, &over, 1)),
            (vec![(7, 11)], vec![(0, 6)])
        );
        assert_eq!(Hits::of(&rows, "").len(), 0);
        let current = |row| hits.in_row(&rows, row, Some(1)).all(|(current, _)| current);
        assert_eq!((current(0), current(1), current(2)), (false, true, false));
    }

    #[test]
    fn a_place_far_within_an_unwrapped_line_has_its_cells() {
        let text = format!("{}needle", "x".repeat(1_000));
        let unwrapped = RenderOptions {
            wrap: false,
            ..options(10)
        };
        let rows = rows(&[&text], unwrapped);
        let hits = Hits::of(&rows, "needle");
        assert_eq!(hits.cells(&rows, 0), Some(1_000..1_006));
    }

    #[test]
    fn there_is_an_end_to_what_is_found() {
        let rows = rows(&["a".repeat(MOST + 9).as_str(), "aa"], options(80));
        assert_eq!(Hits::of(&rows, "a").len(), MOST);
    }
}
