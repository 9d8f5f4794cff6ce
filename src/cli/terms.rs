//! Negated terms of a filter among flags: `-type:hook.verify` looks like flags to clap. They are
//! moved behind a `--` before clap sees them, which changes nothing else: all terms of a filter
//! must hold, in whatever order.

use std::ffi::OsString;

/// The command whose words are a filter.
const COMMAND: &str = "events";

/// The arguments with the negated terms at their end.
pub(crate) fn sorted(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = arguments.collect();
    if !words.iter().any(|word| word == COMMAND) {
        return words;
    }
    let end = words.iter().position(|word| word == "--");
    let mut rest = end.map(|end| words.split_off(end)).unwrap_or_default();
    let (terms, mut words): (Vec<_>, Vec<_>) = words.into_iter().partition(is_negated);
    if !terms.is_empty() {
        words.push("--".into());
        words.extend(terms);
        // There is one `--` already.
        rest = rest.into_iter().skip(1).collect();
    }
    words.extend(rest);
    words
}

/// Whether a word is a term with a dash before it, and not flags.
fn is_negated(word: &OsString) -> bool {
    let Some(word) = word.to_str().and_then(|word| word.strip_prefix('-')) else {
        return false;
    };
    let mut letters = word.chars();
    let is_flags = match letters.next() {
        None | Some('-') => true,
        Some('h' | 'V') => letters.next().is_none(),
        Some('v') => letters.all(|letter| letter == 'v'),
        Some('l') => letters.all(|letter| letter.is_ascii_digit()),
        Some('c') => !word.contains(':'),
        Some(_) => false,
    };
    !is_flags
}
