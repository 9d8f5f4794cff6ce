//! Formats rows as columns below headings; each column is as wide as its widest cell.

use std::io::Write as _;

use tabwriter::TabWriter;

use crate::printable::printable;

/// Spaces between two columns.
const GAP: usize = 2;

/// Returns the lines of a table; empty without rows.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut writer = TabWriter::new(Vec::new()).minwidth(0).padding(GAP);
    let headings = headings.map(str::to_owned);
    for row in std::iter::once(&headings).chain(rows) {
        // A cell contains no tab: `printable` replaces control characters.
        let cells = row.each_ref().map(|cell| printable(cell));
        // Writing to memory cannot fail.
        let _ = writeln!(writer, "{}", cells.join("\t"));
    }
    let text = writer.into_inner().unwrap_or_default();
    let text = String::from_utf8(text).unwrap_or_default();
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> [String; 3] {
        cells.map(str::to_owned)
    }

    #[test]
    fn columns_are_aligned_below_their_headings_by_cells_of_the_terminal() {
        let rows = [row(["小林設計", "a", ""]), row(["b", "", "x\ty\u{1b}"])];
        let lines = table(["NAME", "KIND", "URL"], &rows);
        assert_eq!(
            lines,
            ["NAME      KIND  URL", "小林設計  a", "b               x␉y␛",]
        );
        assert!(table(["NAME", "KIND", "URL"], &[]).is_empty());
    }
}
