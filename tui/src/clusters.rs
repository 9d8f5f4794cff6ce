//! Safe text → what is drawn into cells of its own, and how many cells each takes: the one place
//! that says how wide text is, so that what is laid out and what is drawn agree.

use ratatui::buffer::CellWidth;
use unicode_segmentation::{Graphemes, UnicodeSegmentation};

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
    Clusters {
        graphemes: text.graphemes(true),
        wide: "",
    }
}

/// The widest that a cluster of several characters can be.
const WIDE: u16 = 2;

struct Clusters<'a> {
    graphemes: Graphemes<'a>,
    /// What is left of a grapheme that is taken apart.
    wide: &'a str,
}

impl<'a> Iterator for Clusters<'a> {
    type Item = (&'a str, usize);

    fn next(&mut self) -> Option<Self::Item> {
        if self.wide.is_empty() {
            let grapheme = self.graphemes.next()?;
            let width = Some(grapheme).filter(|whole| whole.len() <= MAX_CLUSTER);
            if let Some(width @ 0..=WIDE) = width.map(CellWidth::cell_width) {
                return Some((grapheme, width.into()));
            }
            self.wide = grapheme;
        }
        let next = |(_, c): &(usize, char)| c.encode_utf8(&mut [0; 4]).cell_width() > 0;
        let mut after = self.wide.char_indices().skip(1);
        let end = after.find(next).map_or(self.wide.len(), |(at, _)| at);
        let (cluster, rest) = self.wide.split_at(end);
        self.wide = rest;
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
            (endless.as_str(), 2_000),
        ] {
            assert_eq!(width(text), cells, "{text:?}");
            assert!(clusters(text).all(|(_, cells)| cells <= 2), "{text:?}");
            let again: String = clusters(text).map(|(cluster, _)| cluster).collect();
            assert_eq!(again, text);
        }
    }
}
