//! Formats one value of a field, and distinguishes it from others with the same name.

use serde_json::Value;

use super::locale::Locale;
use super::members::{inner, member, to_text};
use super::{WordedField, date, number, rich_text};

/// A value formatted for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WordedValue {
    pub(super) text: String,
    /// The text with its markup, if it has any.
    pub(super) marked: Option<String>,
    /// The object with that name, such as `item 9`.
    pub(super) id: Option<String>,
}

impl WordedValue {
    fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

/// Members that identify an object, and the word for such an object.
const IDS: &[(&str, &str)] = &[
    ("item_id", "item"),
    ("profile_id", "profile"),
    ("user_id", "user"),
    ("file_id", "file"),
    ("embed_id", "link"),
    ("id", "option"),
];

pub(super) fn all(field: WordedField<'_>, values: &[Value], locale: Locale) -> Vec<WordedValue> {
    values
        .iter()
        .map(|value| one(field, value, locale))
        .collect()
}

fn one(field: WordedField<'_>, value: &Value, locale: Locale) -> WordedValue {
    let inner = inner(value);
    match field.kind {
        "date" => WordedValue::plain(date::words(value, field.settings)),
        "money" => WordedValue::plain(number::money(value, locale)),
        "number" => WordedValue::plain(number::words(&to_text(inner), locale)),
        "progress" => WordedValue::plain(number::percent(&to_text(inner))),
        "duration" => WordedValue::plain(number::duration(inner, field.settings)),
        "text" => text(&to_text(inner), is_html(field.settings)),
        "calculation" => calculation(field, value, locale),
        "phone" | "email" | "tel" => WordedValue::plain(with_type(value)),
        "embed" => link(value),
        "location" => WordedValue::plain(location(value)),
        _ => object(inner),
    }
}

/// Returns whether a text is HTML, if that is known: large texts are,
/// small ones are not, unless the field's format says otherwise.
fn is_html(settings: &Value) -> Option<bool> {
    let setting = |name| member(settings, name)?.as_str();
    match (setting("format"), setting("size")) {
        (Some("html"), _) | (None, Some("large")) => Some(true),
        (Some(_), _) | (None, Some("small")) => Some(false),
        _ => None,
    }
}

fn text(raw: &str, is_html: Option<bool>) -> WordedValue {
    if is_html.unwrap_or_else(|| rich_text::looks_like_html(raw)) {
        let (text, marked) = rich_text::words(raw);
        WordedValue {
            text,
            marked: Some(marked),
            id: None,
        }
    } else {
        WordedValue::plain(raw)
    }
}

/// Formats a calculation, which is a number, a text or a date according to its settings.
fn calculation(field: WordedField<'_>, value: &Value, locale: Locale) -> WordedValue {
    if let Some(date) = date::read(value, field.settings) {
        return WordedValue::plain(date);
    }
    let inner = inner(value);
    let setting = |name| member(field.settings, name).and_then(Value::as_str);
    let raw = to_text(inner);
    let is_number = match setting("return_type") {
        Some("number") => true,
        Some(_) => false,
        None => inner.is_number() || number::has_podios_decimals(&raw),
    };
    if !is_number {
        return text(&raw, None);
    }
    let number = number::words(&raw, locale);
    WordedValue::plain(match setting("unit") {
        Some(unit) if !unit.is_empty() && !number.is_empty() => format!("{number} {unit}"),
        _ => number,
    })
}

/// Formats a number or address with its type: `+45 12 34 (work)`.
fn with_type(value: &Value) -> String {
    let text = to_text(inner(value));
    match member(value, "type").and_then(Value::as_str) {
        Some(kind) if !text.is_empty() => format!("{text} ({kind})"),
        _ => text,
    }
}

/// Formats a link with its title and URL.
fn link(value: &Value) -> WordedValue {
    let embed = member(value, "embed").unwrap_or(value);
    let text = |name| member(embed, name).and_then(Value::as_str);
    let url = text("url")
        .or_else(|| text("resolved_url"))
        .or_else(|| text("original_url"));
    let words = match (text("title").filter(|title| !title.is_empty()), url) {
        (Some(title), Some(url)) if title != url => format!("{title} ({url})"),
        (_, Some(url)) => url.to_owned(),
        _ => to_text(embed),
    };
    WordedValue {
        text: words,
        marked: None,
        id: id(embed),
    }
}

/// Formats an address as Podio formats it, or else from its parts.
fn location(value: &Value) -> String {
    let whole = member(value, "formatted").or_else(|| member(value, "value"));
    if let Some(whole) = whole
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
    {
        return whole.to_owned();
    }
    let parts = ["street_address", "postal_code", "city", "state", "country"];
    let parts: Vec<_> = parts
        .into_iter()
        .filter_map(|part| member(value, part)?.as_str())
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        to_text(inner(value))
    } else {
        parts.join(", ")
    }
}

fn object(value: &Value) -> WordedValue {
    WordedValue {
        text: to_text(value),
        marked: None,
        id: id(value),
    }
}

fn id(value: &Value) -> Option<String> {
    IDS.iter().find_map(|(name, what)| {
        let id = member(value, name).filter(|id| id.is_number() || id.is_string())?;
        Some(format!("{what} {}", to_text(id)))
    })
}
