//! What is in a value of Podio's: its members, and the scalar that says it.

use serde_json::Value;

/// Members that name the object in a value, the most telling first: categories have a text, items a
/// title, people, apps and files a name, places a whole address.
const NAMES: &[&str] = &["text", "title", "name", "formatted", "url"];

/// What a value holds: the member of that name, which may hold nothing, or itself.
pub(super) fn inner(value: &Value) -> &Value {
    value.get("value").unwrap_or(value)
}

/// A member that is there.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|member| !member.is_null())
}

/// A scalar as it is, nothing as nothing, an object by its name, anything else as JSON.
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
