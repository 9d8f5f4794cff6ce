//! Field values in a few words, for "old → new". Pure.

use serde_json::Value;

/// Members that name the object in a value, the most telling first (podio.md 5.2): categories
/// have a text, items a title, people, apps and files a name, embeds a URL.
const NAMES: [&str; 5] = ["text", "title", "name", "formatted", "url"];

/// The values of a field of type `kind` as people would say them, joined by commas; empty where
/// there are none. Text of the outside world: escape it before showing it.
pub fn plain_text(kind: &str, values: &[Value]) -> String {
    let values: Vec<_> = values.iter().map(|value| one(kind, value)).collect();
    values.join(", ")
}

fn one(kind: &str, value: &Value) -> String {
    let member = |name: &str| value.get(name).filter(|member| !member.is_null());
    match kind {
        "date" => match (member("start"), member("end")) {
            (Some(start), Some(end)) if start != end => {
                format!("{} – {}", named(start), named(end))
            }
            (Some(start), _) => named(start),
            _ => named(value),
        },
        "money" => match (member("value"), member("currency")) {
            (Some(amount), Some(currency)) => format!("{} {}", named(amount), named(currency)),
            _ => named(value),
        },
        "text" => without_tags(&named(member("value").unwrap_or(value))),
        _ => named(member("value").or(member("embed")).unwrap_or(value)),
    }
}

/// A scalar as it is, an object by its name, anything else as JSON.
fn named(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => NAMES
            .iter()
            .find_map(|name| members.get(*name)?.as_str())
            .map_or_else(|| value.to_string(), str::to_owned),
        other => other.to_string(),
    }
}

/// Podio's long texts are HTML. Tags become spaces; what looks like one but never closes stays.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, from_tag)) = rest.split_once('<') {
        let Some((_, after)) = from_tag.split_once('>') else {
            break;
        };
        text.push_str(before);
        text.push(' ');
        rest = after;
    }
    text.push_str(rest);
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_every_type_read_as_people_say_them() {
        for (kind, values, text) in [
            (
                "text",
                json!([{"value": "<p>Ring <b>Ada</b></p>"}]),
                "Ring Ada",
            ),
            ("text", json!([{"value": "1 < 2"}]), "1 < 2"),
            ("number", json!([{"value": "300.0000"}]), "300.0000"),
            (
                "category",
                json!([{"value": {"id": 2, "text": "Open"}}]),
                "Open",
            ),
            (
                "app",
                json!([{"value": {"item_id": 9, "title": "Acme"}}]),
                "Acme",
            ),
            (
                "contact",
                json!([{"value": {"name": "Ada"}}, {"value": {"name": "Bob"}}]),
                "Ada, Bob",
            ),
            (
                "money",
                json!([{"value": "12.50", "currency": "EUR"}]),
                "12.50 EUR",
            ),
            (
                "date",
                json!([{"start": "2026-11-23", "end": null}]),
                "2026-11-23",
            ),
            ("date", json!([{"start": "a", "end": "b"}]), "a – b"),
            (
                "embed",
                json!([{"embed": {"embed_id": 1, "url": "https://a.example"}}]),
                "https://a.example",
            ),
            ("progress", json!([{"value": 40}]), "40"),
            ("new-kind", json!([{"x": 1}]), r#"{"x":1}"#),
            ("text", json!([]), ""),
        ] {
            assert_eq!(plain_text(kind, values.as_array().unwrap()), text, "{kind}");
        }
    }
}
