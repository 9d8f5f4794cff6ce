//! Text of a filter as queries of the full-text index.

use super::cjk;
use super::filter::Pattern;

/// Bytes of the shortest word that also stands for longer ones: the full-text index gathers every
/// word with such a beginning first, and one or two letters begin a good part of all words.
const SHORTEST_BEGINNING: usize = 3;

/// What is typed as text: the last word may go on, unless it is too short for that.
pub(super) fn words_of(text: &str) -> String {
    let last = text
        .trim_end()
        .rsplit(|c: char| !c.is_alphanumeric())
        .next();
    let is_short = last.is_some_and(|word| word.len() < SHORTEST_BEGINNING);
    let as_typed = phrase(text, if is_short { "" } else { "*" });
    match cjk::sought(text) {
        // Events of an earlier podtap are indexed as they came.
        Some((words, goes_on)) => {
            let words = phrase(&words, if goes_on { "*" } else { "" });
            format!("({as_typed} OR {words})")
        }
        None => as_typed,
    }
}

/// Words next to each other, as a full-text query; `end` is `*` where the last may go on.
fn phrase(text: &str, end: &str) -> String {
    // FTS5 reads its query as a C string: what follows a NUL would be lost, the quote with it.
    format!("\"{}\"{end}", text.replace('\0', " ").replace('"', "\"\""))
}

/// The words that a body with this pair has next to each other, where they can be looked up.
pub(super) fn pair(name: &str, value: &Pattern) -> Option<String> {
    let value = value.literal()?;
    // Words of other letters may be written otherwise in the index.
    let is_word = |text: &str| text.contains(|c: char| c.is_ascii_alphanumeric());
    let is_kept = |text: &str| cjk::sought(text).is_none();
    (is_word(name) && is_word(value) && is_kept(name) && is_kept(value))
        .then(|| phrase(&format!("{name} {value}"), ""))
}
