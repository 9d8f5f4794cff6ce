//! Converts values as API clients write them to the form in which Podio answers them
//! (podio.md 5.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::app::StoredApp;
use super::date;
use super::field::StoredField;
use crate::answer::ErrorAnswer;

/// Values of an item by field. A field without values is missing.
pub(crate) type ItemValues = BTreeMap<u64, Vec<Value>>;

/// Reads `fields` of a request: an object by `external_id` or field id, or a list of `{field_id
/// | external_id, values}`. A field that is cleared is in the result with no values.
pub(crate) fn read(app: &StoredApp, fields: &Value) -> Result<ItemValues, ErrorAnswer> {
    let mut values = ItemValues::new();
    match fields {
        Value::Null => {}
        Value::Object(members) => {
            for (name, given) in members {
                let field = app.find(&Value::String(name.clone()))?;
                values.insert(field.id, field_values(field, given)?);
            }
        }
        Value::Array(members) => {
            for member in members {
                let name = member
                    .get("field_id")
                    .or_else(|| member.get("external_id"))
                    .unwrap_or(&Value::Null);
                let field = app.find(name)?;
                let given = member.get("values").unwrap_or(&Value::Null);
                values.insert(field.id, field_values(field, given)?);
            }
        }
        other => return Err(ErrorAnswer::wrong_type(other, "object")),
    }
    Ok(values)
}

/// Reads the values of one field.
pub(crate) fn field_values(field: &StoredField, given: &Value) -> Result<Vec<Value>, ErrorAnswer> {
    match given {
        Value::Null => Ok(Vec::new()),
        Value::Array(many) => many.iter().map(|one| single(field, one)).collect(),
        one => Ok(vec![single(field, one)?]),
    }
}

fn single(field: &StoredField, given: &Value) -> Result<Value, ErrorAnswer> {
    let inner = given.get("value").unwrap_or(given);
    match field.kind.as_str() {
        "category" => option(field, inner),
        "date" => date::read(given),
        "embed" => match given {
            Value::Object(members) if members.contains_key("embed") => Ok(given.clone()),
            Value::Object(_) => Ok(json!({ "embed": inner, "file": null })),
            Value::String(url) => Ok(json!({ "embed": { "url": url }, "file": null })),
            other => Err(ErrorAnswer::wrong_type(other, "object")),
        },
        // The type is part of this value.
        "phone" | "email" | "location" if given.is_object() => Ok(given.clone()),
        "money" => match given {
            Value::Object(members) => Ok(money(members)),
            other => Err(ErrorAnswer::wrong_type(other, "object")),
        },
        "number" => Ok(json!({ "value": decimals(inner) })),
        "app" => match inner.as_u64() {
            Some(item_id) => Ok(json!({ "value": { "item_id": item_id } })),
            None => Ok(json!({ "value": inner })),
        },
        "text" => match inner {
            Value::String(_) => Ok(json!({ "value": inner })),
            other => Err(ErrorAnswer::wrong_type(other, "string")),
        },
        _ => Ok(json!({ "value": inner })),
    }
}

/// Returns a category's option by its number or its text.
fn option(field: &StoredField, given: &Value) -> Result<Value, ErrorAnswer> {
    let found = field.options.iter().zip(1_u64..).find(|(text, id)| {
        let wanted = given.get("id").unwrap_or(given);
        wanted.as_u64() == Some(*id) || wanted.as_str() == Some(text)
    });
    let (text, id) = found.ok_or_else(|| {
        let options: Vec<_> = (1..=field.options.len()).map(|id| id.to_string()).collect();
        ErrorAnswer::wrong_type(given, &format!("one of {{{}}}", options.join(", ")))
    })?;
    Ok(json!({ "value": { "id": id, "text": text, "status": "active" } }))
}

fn money(members: &Map<String, Value>) -> Value {
    json!({
        "value": decimals(members.get("value").unwrap_or(&Value::Null)),
        "currency": members.get("currency").cloned().unwrap_or_else(|| json!("EUR")),
    })
}

/// Formats a number as a text with four decimals.
fn decimals(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) => json!(format!("{number:.4}")),
        None => value.clone(),
    }
}
