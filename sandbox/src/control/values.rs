//! Converts values as people type them, `status=Paid`, to the form in which an API client
//! sends them. Pure.

use serde_json::{Map, Value, json};

use super::SandboxCommand;
use crate::answer::ErrorAnswer;
use crate::world::{StoredApp, StoredField};

/// Returns the fields of an item that a command names.
pub(super) fn fields(app: &StoredApp, command: &SandboxCommand) -> Result<Value, ErrorAnswer> {
    let mut fields = Map::new();
    for (name, text) in &command.values {
        let field = app.field(name).map_err(|_| {
            let names: Vec<_> = app
                .fields
                .iter()
                .map(|field| field.external_id.as_str())
                .collect();
            ErrorAnswer::invalid(format!(
                "The app {} has no field `{name}`: it has {}",
                app.name,
                names.join(", ")
            ))
        })?;
        fields.insert(field.external_id.clone(), value(field, text));
    }
    Ok(fields.into())
}

/// Converts one value. An empty text clears the field; JSON is used unchanged.
fn value(field: &StoredField, text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    if text.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str(text)
    {
        return value;
    }
    let number = || {
        text.parse::<u64>()
            .map_or_else(|_| json!(text), Value::from)
    };
    match field.kind.as_str() {
        "number" => text
            .parse::<f64>()
            .map_or_else(|_| json!(text), Value::from),
        "money" => {
            let (amount, currency) = text.split_once(' ').unwrap_or((text, "EUR"));
            let amount = amount
                .parse::<f64>()
                .map_or_else(|_| json!(amount), Value::from);
            json!({ "value": amount, "currency": currency.trim() })
        }
        "category" | "app" | "progress" | "duration" => number(),
        "date" => match text.split_once("..") {
            Some((start, end)) => json!({ "start": start, "end": end }),
            None => json!({ "start": text }),
        },
        _ => json!(text),
    }
}
