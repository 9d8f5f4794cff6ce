//! Cuts captured data to a maximum size, and removes secrets from it.

use serde_json::Value;

/// Maximum number of elements of one list, and of fields of one object.
const MAX_ENTRIES: usize = 200;

/// Number of bytes to count for a number, a keyword, or the separator between two values.
const SCALAR: usize = 8;

/// Removes the secrets from a text.
pub(crate) type HideSecrets = dyn Fn(&str) -> String + Send + Sync;

/// The number of bytes that an answer may still use.
pub(crate) struct AnswerBudget<'a> {
    /// Maximum number of bytes of one text.
    text: usize,
    /// Number of bytes that are left.
    left: usize,
    redact: &'a HideSecrets,
    /// Whether anything was cut.
    pub(crate) has_cut: bool,
}

impl<'a> AnswerBudget<'a> {
    /// Creates a budget of `text` bytes for one text and `all` bytes for everything.
    pub(crate) fn new(text: usize, all: usize, redact: &'a HideSecrets) -> Self {
        Self {
            text,
            left: all,
            redact,
            has_cut: false,
        }
    }

    /// Returns whether there is room for more.
    pub(crate) fn has_room(&self) -> bool {
        self.left > 0
    }

    /// Returns the value, cut and without secrets.
    pub(crate) fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(values) => self.list(values).into(),
            Value::Object(fields) => {
                let mut kept = serde_json::Map::new();
                for (name, value) in fields.into_iter().take(MAX_ENTRIES) {
                    let name = self.text(&name);
                    kept.insert(name, self.value(value));
                }
                kept.into()
            }
            scalar => {
                self.left = self.left.saturating_sub(SCALAR);
                scalar
            }
        }
    }

    fn list(&mut self, values: Vec<Value>) -> Vec<Value> {
        let all = values.len();
        let mut kept = Vec::new();
        for value in values.into_iter().take(MAX_ENTRIES) {
            if !self.has_room() {
                break;
            }
            kept.push(self.value(value));
        }
        let left_out = all - kept.len();
        if left_out > 0 {
            self.has_cut = true;
            kept.push(format!("… {left_out} more").into());
        }
        kept
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = (self.redact)(text);
        let room = self.text.min(self.left);
        if text.len() > room {
            self.has_cut = true;
            let all = text.len();
            text.truncate(text.floor_char_boundary(room));
            text.push_str(&format!("… ({all} bytes)"));
        }
        self.left = self.left.saturating_sub(text.len() + SCALAR);
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound_value(text: usize, all: usize, value: Value) -> (Value, bool) {
        let hide = |text: &str| text.replace("pt_secret", "(hidden)");
        let mut bounds = AnswerBudget::new(text, all, &hide);
        let value = bounds.value(value);
        (value, bounds.has_cut)
    }

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        let (value, has_cut) = bound_value(4, 1_000, json!({ "a": "éééé", "b": "abcd" }));
        assert_eq!(value, json!({ "a": "éé… (8 bytes)", "b": "abcd" }));
        assert!(has_cut);
    }

    #[test]
    fn secrets_go_out_of_every_text_and_every_name() {
        let (value, has_cut) = bound_value(100, 1_000, json!([{ "xpt_secret": ["pt_secret", 1] }]));
        assert_eq!(value, json!([{ "x(hidden)": ["(hidden)", 1] }]));
        assert!(!has_cut);
    }

    #[test]
    fn everything_together_stays_below_the_limit() {
        let many: Vec<Value> = (0..100_000).map(|n| json!(["name", n])).collect();
        let deep = json!({ "params": many, "body": "x".repeat(1_000_000) });
        let (value, has_cut) = bound_value(4_096, 16_384, deep);
        let size = value.to_string().len();
        assert!(has_cut && size < 20_000, "{size}");
    }
}
