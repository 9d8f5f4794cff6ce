//! Splits safe text into clusters, which are drawn into cells of their own, and counts the cells of
//! each. Only this module decides how wide text is, so that layout and drawing agree.

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation as _;

/// Maximum size in bytes of a grapheme that is kept whole: a syllable, or a character with all its
/// marks. The width of a longer grapheme may not fit the type of the count.
const MAX_CLUSTER: usize = 64;

/// Returns the number of cells that safe text takes. This is the sum over its
/// clusters, because the width of the whole text may be smaller (Arabic lam and alef),
/// but each cluster gets its own cells.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    clusters(text).map(|(_, width)| width).sum()
}

/// Splits text into clusters, each with its number of cells. A cluster is a grapheme, but at most
/// as wide as a wide character: some scripts join any number of characters into one grapheme
/// (Hangul's leading consonants, Indic conjuncts), which would not fit anywhere.
pub(crate) fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    Clusters { rest: text }
}

/// Maximum width of a cluster of several characters.
const WIDE: u16 = 2;

/// The iterator of [`clusters`]. Each cluster depends only on the text after it, so that text cut
/// between two clusters takes exactly the remaining cells.
struct Clusters<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Clusters<'a> {
    type Item = (&'a str, usize);

    fn next(&mut self) -> Option<Self::Item> {
        // One byte above the limit is enough to see whether the grapheme is too long.
        let seen = self.rest.ceil_char_boundary(MAX_CLUSTER + 1);
        let (seen, _) = self.rest.split_at(seen);
        let grapheme = seen.graphemes(true).next()?;
        let width = Some(grapheme).filter(|whole| whole.len() <= MAX_CLUSTER);
        let width = width.map(CellWidth::cell_width);
        let end = if matches!(width, Some(0..=WIDE)) {
            grapheme.len()
        } else {
            let next = |(_, c): &(usize, char)| c.encode_utf8(&mut [0; 4]).cell_width() > 0;
            let mut after = grapheme.char_indices().skip(1);
            after.find(next).map_or(grapheme.len(), |(at, _)| at)
        };
        let (cluster, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some((cluster, cluster.cell_width().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cluster_is_wider_than_a_wide_character_and_all_add_up() {
        let endless = "ᄀ".repeat(1_000);
        for (text, cells) in [
            ("日本", 4),
            ("لا", 2),
            ("한e\u{301}", 3),
            ("\u{600}👍🏽a", 4),
            (endless.as_str(), 2_000),
        ] {
            assert_eq!(width(text), cells, "{text:?}");
            assert!(clusters(text).all(|(_, cells)| cells <= 2), "{text:?}");
            let again: String = clusters(text).map(|(cluster, _)| cluster).collect();
            assert_eq!(again, text);
        }
    }
}
