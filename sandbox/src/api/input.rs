//! Reads requests: ids in paths, members of bodies, switches in queries, with Podio's errors.

use serde_json::Value;

use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::Switches;

/// Reads an id in the path. For any other text, there is no such operation.
pub(super) fn id(segment: &str) -> Result<u64, ErrorAnswer> {
    segment.parse().map_err(|_| ErrorAnswer::no_route())
}

/// Reads a member that must be a text.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, ErrorAnswer> {
    match body.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(ErrorAnswer::wrong_type(other, "string")),
        None => Err(ErrorAnswer::invalid(format!("Missing parameter {name}"))),
    }
}

/// Reads a member that must be a text if it is neither missing nor null.
pub(super) fn optional_text(body: &Value, name: &str) -> Result<Option<String>, ErrorAnswer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(body, name).map(|text| Some(text.to_owned())),
    }
}

/// Reads a member that must be a whole number. Podio refuses numbers as text.
pub(super) fn number(body: &Value, name: &str) -> Result<u64, ErrorAnswer> {
    match body.get(name) {
        Some(value) => value
            .as_u64()
            .ok_or_else(|| ErrorAnswer::wrong_type(value, "integer")),
        None => Err(ErrorAnswer::invalid(format!("Missing parameter {name}"))),
    }
}

/// Reads a member that must be a whole number if it is not missing.
pub(super) fn optional_number(body: &Value, name: &str) -> Result<Option<u64>, ErrorAnswer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => number(body, name).map(Some),
    }
}

/// Reads a member that must be true or false if it is not missing.
pub(super) fn optional_switch(body: &Value, name: &str) -> Result<Option<bool>, ErrorAnswer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(other) => Err(ErrorAnswer::wrong_type(other, "boolean")),
    }
}

/// Reads a list of ids that may be missing.
pub(super) fn ids(body: &Value, name: &str) -> Result<Vec<u64>, ErrorAnswer> {
    let values = match body.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(other) => return Err(ErrorAnswer::wrong_type(other, "array")),
    };
    let ids = values.iter().map(|value| {
        value
            .as_u64()
            .ok_or_else(|| ErrorAnswer::wrong_type(value, "integer"))
    });
    ids.collect()
}

/// Reads a list of texts.
pub(super) fn texts(values: &Value) -> Result<Vec<String>, ErrorAnswer> {
    let Value::Array(values) = values else {
        return Err(ErrorAnswer::wrong_type(values, "array"));
    };
    let texts = values.iter().map(|value| match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(ErrorAnswer::wrong_type(other, "string")),
    });
    texts.collect()
}

/// Returns the part of a list that `limit` and `offset` of the query select.
pub(super) fn page(
    request: &ApiRequest,
    list: impl Iterator<Item = Value>,
) -> Result<ApiAnswer, ErrorAnswer> {
    let offset = query_number(request, "offset")?.unwrap_or(0);
    let limit = query_number(request, "limit")?.unwrap_or(usize::MAX);
    Ok(ApiAnswer::json(list.skip(offset).take(limit).collect()))
}

/// Reads a whole number in the query.
pub(super) fn query_number(request: &ApiRequest, name: &str) -> Result<Option<usize>, ErrorAnswer> {
    let given = request.query(name);
    let number = given.map(|text| {
        text.parse().map_err(|_| {
            ErrorAnswer::invalid(format!("Invalid value '{text}' (string): must be integer"))
        })
    });
    number.transpose()
}

/// Refuses parameters that would filter a list but are not implemented here, because an
/// unfiltered list would be mistaken for a filtered one.
pub(super) fn refuse_unknown(request: &ApiRequest, known: &[&str]) -> Result<(), ErrorAnswer> {
    let everywhere = ["oauth_token", "hook", "silent", "sort_by", "sort_desc"];
    let unknown = request
        .query
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()) && !everywhere.contains(&name.as_str()));
    match unknown {
        Some((name, _)) => Err(ErrorAnswer::not_here(&format!("`{name}` of this list"))),
        None => Ok(()),
    }
}

/// Reads `hook` and `silent` in the query. In the body they have no effect, as at Podio.
pub(super) fn switches(request: &ApiRequest) -> Switches {
    Switches {
        hook: !matches!(request.query("hook"), Some("false" | "0")),
    }
}
