//! Wraps a line between words into rows, with the indent that the line sets. A word that is longer
//! than a row is broken between graphemes.

use crate::clusters::clusters;
use crate::line::Line;

/// Maximum width of a line that is wrapped between words. A wider line is broken anywhere, which
/// costs less: people do not read it word by word.
const MOST: usize = 8_192;

/// Breaks a line into rows of at most `cells`, each with its indent in cells. Together the rows are
/// the line, including the spaces at which it was broken.
pub(crate) fn rows(line: Line, cells: usize) -> Vec<(usize, Line)> {
    let width = line.width();
    if width <= cells {
        return vec![(0, line)];
    }
    if width > MOST || cells < 2 {
        return line.wrap(cells).into_iter().map(|line| (0, line)).collect();
    }
    let hang = Some(line.hang()).filter(|hang| *hang <= cells / 2);
    let hang = hang.unwrap_or(0);
    let ends = breaks(&line.text(), cells, hang);
    let indents = std::iter::once(0).chain(std::iter::repeat(hang));
    indents.zip(split_at(&line, &ends)).collect()
}

/// Returns where each row ends, as byte offsets in the text.
fn breaks(text: &str, cells: usize, hang: usize) -> Vec<usize> {
    let (mut ends, mut at, mut used, mut room) = (Vec::new(), 0, 0, cells);
    // The end of the last complete word of the row, and the cells up to there.
    let mut word: Option<(usize, usize)> = None;
    for (cluster, width) in clusters(text) {
        // A space at the end of a row may be beyond its edge.
        while used + width > room && used > 0 && cluster != " " {
            // If the word would not fit in the next row either, it is broken here.
            let fits = |(end, _): &(usize, usize)| word_at(text, *end) <= cells - hang;
            let (end, kept) = word.take().filter(fits).unwrap_or((at, used));
            ends.push(end);
            (used, room) = (used - kept, cells - hang);
        }
        at += cluster.len();
        used += width;
        // The first value stays on the row of its label.
        if cluster == " " && (used > hang || !ends.is_empty()) {
            word = Some((at, used));
        }
    }
    ends.push(text.len());
    ends
}

/// Returns the number of cells of the word at a byte offset.
fn word_at(text: &str, at: usize) -> usize {
    let word = text.get(at..).and_then(|rest| rest.split(' ').next());
    clusters(word.unwrap_or_default())
        .map(|(_, width)| width)
        .sum()
}

/// Returns the parts of a line that end at these byte offsets.
fn split_at(line: &Line, ends: &[usize]) -> Vec<Line> {
    let (mut rows, mut row, mut at) = (Vec::new(), Line::new(), 0);
    let mut ends = ends.iter().copied().peekable();
    for (role, text) in line.pieces() {
        let mut rest = text.as_str();
        while let Some(end) = ends.peek().copied().filter(|end| *end < at + rest.len()) {
            let (part, after) = rest.split_at_checked(end - at).unwrap_or((rest, ""));
            row.push(role, part);
            rows.push(std::mem::take(&mut row));
            (rest, at) = (after, end);
            ends.next();
        }
        row.push(role, rest);
        at += rest.len();
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::theme::Role;

    fn texts(line: Line, cells: usize) -> Vec<String> {
        let rows = rows(line, cells).into_iter();
        rows.map(|(indent, line)| format!("{}{}", " ".repeat(indent), line.text().trim_end()))
            .collect()
    }

    #[test]
    fn rows_end_between_words_and_go_on_below_the_value() {
        let label = |value| {
            let line = Line::new().column(Role::Quiet, "title", 6);
            line.with(Role::Plain, value).hanging(6)
        };
        let rows = texts(label("53 window sills to paint"), 16);
        assert_eq!(rows, ["title 53 window", "      sills to", "      paint"]);
        let rows = texts(label("2026-11-24 22:29:42.081"), 20);
        assert_eq!(rows, ["title 2026-11-24", "      22:29:42.081"]);
        let rows = texts(label("https://podio.com/acme"), 12);
        assert_eq!(
            rows,
            ["title https:", "      //podi", "      o.com/", "      acme"]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_row_is_too_wide(
            words in prop::collection::vec("[a-z日 ]{0,9}", 0..12),
            cells in 4..30_usize,
            hang in 0..20_usize,
        ) {
            let line = words.iter().fold(Line::new(), |line, word| line.with(Role::Plain, word.as_str()));
            let text = line.text();
            let rows = rows(line.hanging(hang), cells);
            let again: String = rows.iter().map(|(_, line)| line.text()).collect();
            prop_assert_eq!(again, text);
            for (indent, line) in rows {
                let shown = line.text();
                let width: usize = clusters(shown.trim_end()).map(|(_, width)| width).sum();
                prop_assert!(indent + width <= cells, "{:?}", shown);
            }
        }
    }
}
