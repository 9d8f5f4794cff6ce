//! Field values as a reader wants them (podio.md 5.2), for "old → new". Pure.
//!
//! A value is worded briefly first. Where that would show a change as none, it says more until the
//! difference is seen: ids where two names are equal, then the markup of rich texts, then the
//! members of Podio's answer that differ. There are words for a value of any shape.
//!
//! Everything here is text of the outside world: escape it before showing it.

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

use value::Worded;

/// Longest text of one side of a change, in characters: explanations are kept in the history.
const MAX_CHARS: usize = 8_000;
/// What is shown before the first difference where both sides had to be cut, in characters.
const LEAD: usize = 200;

/// A field as far as its values are worded by it.
#[derive(Debug, Clone, Copy)]
pub struct WordedField<'a> {
    /// Its type, such as `text` or `category`.
    pub kind: &'a str,
    /// Its `config.settings`; `Null` where they are not known.
    pub settings: &'a Value,
}

/// The values of a field, joined by commas; empty where there are none.
pub fn values(field: WordedField<'_>, values: &[Value], locale: Locale) -> String {
    let mut worded = value::all(field, values, locale);
    tell_apart([&mut worded]);
    cut(&join(&worded, |one| &one.text), 0, MAX_CHARS)
}

/// What a field held and holds; never the same text twice. `None` where nothing differs at all.
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
    let brief = |worded: &[Worded]| join(worded, |one| &one.text);
    let marked = |worded: &[Worded]| join(worded, |one| one.marked.as_ref().unwrap_or(&one.text));
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
    let cut = |side: &str| cut(side, start, MAX_CHARS);
    Some((cut(&sides.0), cut(&sides.1)))
}

/// Adds ids to names that more than one object has.
fn tell_apart<const N: usize>(mut sides: [&mut Vec<Worded>; N]) {
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

fn join(worded: &[Worded], text: impl Fn(&Worded) -> &String) -> String {
    let texts: Vec<_> = worded
        .iter()
        .map(|one| text(one).as_str())
        .filter(|text| !text.is_empty())
        .collect();
    texts.join(", ")
}

/// How many characters two texts begin with in common.
fn same_start(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(one, other)| one == other).count()
}

/// At most `most` characters of a text; its beginning, unless what matters at `from` is not in it.
fn cut(text: &str, from: usize, most: usize) -> String {
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
