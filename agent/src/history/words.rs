//! Translates the text of a filter to queries of the full-text index.

use super::cjk;
use super::filter::Pattern;

/// Minimum length in bytes of a word that also matches longer words: the full-text index first
/// collects every word with the prefix, and one or two letters begin a large part of all words.
const SHORTEST_BEGINNING: usize = 3;

/// Returns the query for a text as it is typed: the last
/// word is a prefix unless it is too short for that.
pub(super) fn words_of(text: &str) -> String {
    let last = text
        .trim_end()
        .rsplit(|c: char| !c.is_alphanumeric())
        .next();
    let is_short = last.is_some_and(|word| word.len() < SHORTEST_BEGINNING);
    let as_typed = phrase(text, if is_short { "" } else { "*" });
    match cjk::sought(text) {
        // Events of an earlier Podtap are indexed without the pairs.
        Some((words, goes_on)) => {
            let words = phrase(&words, if goes_on { "*" } else { "" });
            format!("({as_typed} OR {words})")
        }
        None => as_typed,
    }
}

/// Returns a full-text query for adjacent words; `end` is `*` if the last word is a prefix.
fn phrase(text: &str, end: &str) -> String {
    // FTS5 reads its query as a C string: it would ignore
    // everything after a NUL, including the closing quote.
    format!("\"{}\"{end}", text.replace('\0', " ").replace('"', "\"\""))
}

/// Returns the query for the adjacent words of a body with this pair, if they can be searched.
pub(super) fn pair(name: &str, value: &Pattern) -> Option<String> {
    let value = value.literal()?;
    // Words with other letters may be indexed in another form.
    let is_word = |text: &str| text.contains(|c: char| c.is_ascii_alphanumeric());
    let is_kept = |text: &str| cjk::sought(text).is_none();
    (is_word(name) && is_word(value) && is_kept(name) && is_kept(value))
        .then(|| phrase(&format!("{name} {value}"), ""))
}
