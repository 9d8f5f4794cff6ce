//! Formats field values for a reader (podio.md 5.2), and changes as "old → new". Pure.
//!
//! Values are first formatted briefly. If a change would not be visible, more is shown
//! until both sides differ: ids if two names are equal, then the markup of rich texts,
//! then the members of Podio's response that differ. A value of any type can be formatted.
//!
//! All results contain text from outside: escape it before showing it.

mod date;
mod diff;
mod leaves;
mod locale;
mod members;
mod number;
mod rich_text;
mod value;

use serde_json::Value;

pub use diff::{Piece, word_diff};
pub use locale::Locale;

use value::WordedValue;

/// Maximum length of one side of a change, in characters: explanations are stored in the history.
const MAX_CHARS: usize = 8_000;
/// Number of characters shown before the first difference if both sides are cut.
const LEAD: usize = 200;

/// What is needed to format a field's values.
#[derive(Debug, Clone, Copy)]
pub struct WordedField<'a> {
    /// The field's type, such as `text` or `category`.
    pub kind: &'a str,
    /// The field's `config.settings`; `Null` if unknown.
    pub settings: &'a Value,
}

/// Formats the values of a field, separated by commas; empty if there are none.
pub fn values(field: WordedField<'_>, values: &[Value], locale: Locale) -> String {
    let mut worded = value::all(field, values, locale);
    tell_apart([&mut worded]);
    truncate_around(&join(&worded, |one| &one.text), 0, MAX_CHARS)
}

/// Formats the old and the new values of a field, always
/// as different texts. Returns `None` if nothing differs.
pub fn change(
    field: WordedField<'_>,
    from: &[Value],
    to: &[Value],
    locale: Locale,
) -> Option<(String, String)> {
    if from == to {
        return None;
    }
    let mut old = value::all(field, from, locale);
    let mut new = value::all(field, to, locale);
    tell_apart([&mut old, &mut new]);
    let brief = |worded: &[WordedValue]| join(worded, |one| &one.text);
    let marked =
        |worded: &[WordedValue]| join(worded, |one| one.marked.as_ref().unwrap_or(&one.text));
    let mut sides = (brief(&old), brief(&new));
    if sides.0 == sides.1 {
        sides = (marked(&old), marked(&new));
    }
    if sides.0 == sides.1 {
        let (old, new) = leaves::differing(from, to);
        sides = (with(&sides.0, &old), with(&sides.1, &new));
    }
    if sides.0 == sides.1 {
        let json = |values: &[Value]| Value::from(values).to_string();
        sides = (json(from), json(to));
    }
    let start = same_start(&sides.0, &sides.1);
    let cut = |side: &str| truncate_around(side, start, MAX_CHARS);
    Some((cut(&sides.0), cut(&sides.1)))
}

/// Adds ids to names that more than one object has.
fn tell_apart<const N: usize>(mut sides: [&mut Vec<WordedValue>; N]) {
    let everything: Vec<_> = sides
        .iter()
        .flat_map(|side| side.iter())
        .map(|one| (one.text.clone(), one.id.clone()))
        .collect();
    for one in sides.iter_mut().flat_map(|side| side.iter_mut()) {
        let shared = everything
            .iter()
            .any(|(text, id)| *text == one.text && *id != one.id);
        if shared && let Some(id) = &one.id {
            one.text = with(&one.text, id);
            one.marked = one.marked.as_ref().map(|marked| with(marked, id));
        }
    }
}

fn with(text: &str, addition: &str) -> String {
    match (text, addition) {
        (text, "") => text.to_owned(),
        ("", addition) => addition.to_owned(),
        (text, addition) => format!("{text} ({addition})"),
    }
}

fn join(worded: &[WordedValue], text: impl Fn(&WordedValue) -> &String) -> String {
    let texts: Vec<_> = worded
        .iter()
        .map(|one| text(one).as_str())
        .filter(|text| !text.is_empty())
        .collect();
    texts.join(", ")
}

/// Returns the number of characters that both texts have in common at their beginning.
fn same_start(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(one, other)| one == other).count()
}

/// Cuts a text to at most `most` characters: from its beginning if
/// `from` is within them, and otherwise from shortly before `from`.
fn truncate_around(text: &str, from: usize, most: usize) -> String {
    let skipped = if from < most {
        0
    } else {
        from.saturating_sub(LEAD.min(most / 2))
    };
    let lead = if skipped > 0 { "… " } else { "" };
    let mut rest = text.chars().skip(skipped);
    let kept: String = rest.by_ref().take(most).collect();
    let end = if rest.next().is_some() { " …" } else { "" };
    format!("{lead}{kept}{end}")
}
