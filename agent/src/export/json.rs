//! An event as one JSON object, for people and scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::history::Event;

/// The event as a JSON object: the fields that `podtap events --json` prints.
pub fn event(event: &Event) -> Value {
    let request = &event.request;
    let mut object = json!({
        "v": 1,
        "type": "event",
        "id": event.id,
        "seq": event.seq,
        "received_at": request.received_at.to_string(),
        "method": request.method,
        "path": request.path,
        "event": event.podio.as_ref().map(|podio| podio.kind.as_str()),
        "params": params(event),
        "headers": request.headers,
    });
    let (name, body) = match std::str::from_utf8(&request.body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_base64", STANDARD.encode(&request.body)),
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), body.into());
    }
    object
}

/// The decoded form; a repeated parameter is a list.
fn params(event: &Event) -> Map<String, Value> {
    let mut params = Map::new();
    for (name, value) in event.podio.iter().flat_map(|podio| &podio.params) {
        let value = Value::from(value.as_str());
        match params.get_mut(name) {
            None => drop(params.insert(name.clone(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    params
}
