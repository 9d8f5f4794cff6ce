//! Reads the fields of another program's JSON object. A field that is null, missing or of another
//! type than expected counts as absent; the others stay. Pure.

use serde_json::{Map, Value};

/// An object whose fields are taken out.
#[derive(Debug, Default)]
pub(super) struct Words(Map<String, Value>);

impl Words {
    /// Returns `None` if it is not an object.
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    fn take(&mut self, name: &str) -> Value {
        self.0.get_mut(name).map(Value::take).unwrap_or_default()
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Parses a text, if it is there and valid.
    pub(super) fn parse<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// Returns an inner object; an empty one if there is none.
    pub(super) fn words(&mut self, name: &str) -> Self {
        Self::of(self.take(name)).unwrap_or_default()
    }

    pub(super) fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.take(name) {
            Value::Array(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// Returns a natural number, which may be larger than SQLite's integers.
    pub(super) fn natural(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }
}
