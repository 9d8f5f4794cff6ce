//! Accesses the members of Podio's values, and the text that describes a value.

use serde_json::Value;

/// Members that name an object, the most descriptive first: categories have a `text`,
/// items a `title`, people, apps and files a `name`, places a complete address.
const NAMES: &[&str] = &["text", "title", "name", "formatted", "url"];

/// Returns the member `value`, which may be null, or else the value itself.
pub(super) fn inner(value: &Value) -> &Value {
    value.get("value").unwrap_or(value)
}

/// Returns a member unless it is null.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|member| !member.is_null())
}

/// Returns a scalar as text, null as an empty text,
/// an object by its name, and anything else as JSON.
pub(super) fn to_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(members) => NAMES
            .iter()
            .find_map(|name| members.get(*name)?.as_str())
            .map_or_else(|| value.to_string(), str::to_owned),
        other => other.to_string(),
    }
}
