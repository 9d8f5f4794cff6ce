//! Compares two long texts word by word: removed and
//! added words, with a few words around each change.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// Minimum length in characters of the longer text; shorter texts are easier to read as a whole.
const LONG: usize = 60;
/// Minimum similarity; less similar texts are easier to read one after the other.
const LEAST_ALIKE: f32 = 0.4;
/// Number of words shown around a change.
const CONTEXT: usize = 4;
/// Maximum time to search for the smallest difference; after it, a larger one is used.
const SEARCH: Duration = Duration::from_millis(50);

/// A part of the comparison of two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that both have.
    Same(String),
    /// Text that only the old one has.
    Removed(String),
    /// Text that only the new one has.
    Added(String),
    /// Words that both have, left out.
    Skipped,
}

/// Compares two long, similar texts. Returns `None` if it is better to show each as a whole.
pub fn word_diff(from: &str, to: &str) -> Option<Vec<Piece>> {
    if from.is_empty() || to.is_empty() || from.chars().count().max(to.chars().count()) < LONG {
        return None;
    }
    let (old, new) = (words(from), words(to));
    let diff = TextDiff::configure()
        .timeout(SEARCH)
        .diff_slices(&old, &new);
    if diff.ratio() < LEAST_ALIKE {
        return None;
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for change in diff.iter_all_changes() {
        let word = change.value();
        match (change.tag(), pieces.last_mut()) {
            (ChangeTag::Equal, Some(Piece::Same(text)))
            | (ChangeTag::Delete, Some(Piece::Removed(text)))
            | (ChangeTag::Insert, Some(Piece::Added(text))) => text.push_str(word),
            (ChangeTag::Equal, _) => pieces.push(Piece::Same(word.to_owned())),
            (ChangeTag::Delete, _) => pieces.push(Piece::Removed(word.to_owned())),
            (ChangeTag::Insert, _) => pieces.push(Piece::Added(word.to_owned())),
        }
    }
    let last = pieces.len().saturating_sub(1);
    let shortened = pieces
        .into_iter()
        .enumerate()
        .flat_map(|(index, piece)| match piece {
            Piece::Same(text) => around(&text, index > 0, index < last),
            other => vec![other],
        });
    Some(shortened.collect())
}

/// Splits a text into words, each with the space after it.
fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(char::is_whitespace).collect()
}

/// Shortens a part that both texts have to the words near the changes at its ends.
fn around(text: &str, after_change: bool, before_change: bool) -> Vec<Piece> {
    let words = words(text);
    let head = if after_change { CONTEXT } else { 0 };
    let tail = if before_change { CONTEXT } else { 0 };
    if words.len() <= head + tail + 1 {
        return vec![Piece::Same(text.to_owned())];
    }
    let (first, rest) = words.split_at_checked(head).unwrap_or_default();
    let middle = rest.len().saturating_sub(tail);
    let (_, last) = rest.split_at_checked(middle).unwrap_or_default();
    let mut pieces = Vec::new();
    for words in [first, last] {
        if !words.is_empty() {
            pieces.push(Piece::Same(words.concat()));
        }
    }
    pieces.insert(usize::from(!first.is_empty()), Piece::Skipped);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "The counter is walnut, oiled twice, with brass edges, and goes out on Monday \
                       by the small van, since the large one is at the garage until Friday.";

    #[test]
    fn a_long_text_shows_the_words_that_changed_and_some_around() {
        let new = OLD.replace("Monday", "Tuesday");

        let pieces = word_diff(OLD, &new).unwrap();

        let same = |text: &str| Piece::Same(text.to_owned());
        assert_eq!(
            pieces,
            [
                Piece::Skipped,
                same("and goes out on "),
                Piece::Removed("Monday ".to_owned()),
                Piece::Added("Tuesday ".to_owned()),
                same("by the small van, "),
                Piece::Skipped,
            ]
        );
    }

    #[test]
    fn short_texts_and_texts_with_little_in_common_are_read_whole() {
        assert_eq!(word_diff("Open", "Closed"), None);
        assert_eq!(word_diff("", OLD), None);
        assert_eq!(word_diff(OLD, &OLD.to_uppercase()), None);
    }
}
