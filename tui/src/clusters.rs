//! Safe text → what is drawn into cells of its own, and how many cells each takes: the one place
//! that says how wide text is, so that what is laid out and what is drawn agree.

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation as _;

/// Bytes of a grapheme that is kept whole: a syllable, or a character with all its marks. The width
/// of more is not counted at once, as it may not fit the count.
const MAX_CLUSTER: usize = 64;

/// Cells that safe text takes: the sum of its clusters', since a whole text may be said to be
/// narrower than its characters, each drawn into cells of its own (Arabic lam and alef).
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    clusters(text).map(|(_, width)| width).sum()
}

/// Breaks text into what is drawn into cells of its own, with the cells of each: graphemes, but no
/// more than a wide character's at once. Some scripts join characters into a grapheme without end
/// (Hangul's leading consonants, Indic conjuncts), which would fit nowhere.
pub(crate) fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    Clusters { rest: text }
}

/// The widest that a cluster of several characters can be.
const WIDE: u16 = 2;

/// Each cluster depends on what follows it alone, so that text cut between two of them takes the
/// cells that are left.
struct Clusters<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Clusters<'a> {
    type Item = (&'a str, usize);

    fn next(&mut self) -> Option<Self::Item> {
        // No more is looked at than tells a grapheme that is kept whole from a longer one.
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
