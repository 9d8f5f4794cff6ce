//! Completes the word before the cursor of the filter line: the name of a saved filter after `@`, a
//! value after a colon, otherwise the name of a field.

use std::collections::BTreeSet;

use podtap_agent::history::{Filter, SavedFilters};
use podtap_podio::EventType;

/// The statuses to offer: common searches. Any number can be typed as well.
const STATUSES: [&str; 8] = [
    "200", "2xx", "4xx", "5xx", ">=400", "error", "pending", "held",
];

/// The times to offer.
const TIMES: [&str; 5] = ["5m", "10m", "1h", "1d", "7d"];

/// Values that occur in the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KnownValues {
    /// Event types, including those that the catalogue does not have.
    pub(crate) types: Vec<String>,
    pub(crate) hooks: Vec<u64>,
}

/// The possible completions of the word before the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Completion {
    /// The typed part of the word.
    typed: String,
    /// All words that begin with that part, in the order of their list, each
    /// with the character that follows it.
    found: Vec<String>,
}

impl Completion {
    /// Finds the completions for a line with this text before the cursor. There are none within
    /// quotes, and none for an empty word.
    pub(super) fn of(before: &str, saved: &SavedFilters, known: &KnownValues) -> Self {
        let in_quotes = before.matches('"').count() % 2 == 1;
        let word = before
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let word = word.strip_prefix('-').unwrap_or(word);
        if in_quotes || word.is_empty() {
            return Self::default();
        }
        let all: Vec<String> = match word.split_once(':') {
            _ if word.starts_with('@') => {
                saved.iter().map(|(name, _)| format!("@{name} ")).collect()
            }
            Some((field, _)) => {
                let values = known.values(field).into_iter();
                values.map(|value| format!("{field}:{value} ")).collect()
            }
            None => Filter::words().map(|name| format!("{name}:")).collect(),
        };
        Self {
            typed: word.to_owned(),
            found: all.into_iter().filter(|it| it.starts_with(word)).collect(),
        }
    }

    /// Returns the text that all completions have after the typed part; empty if there is none.
    pub(super) fn rest(&self) -> String {
        let shared = |one: &str, other: &str| -> String {
            let pairs = one.chars().zip(other.chars());
            pairs.take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        };
        let whole = self.found.iter().cloned();
        let whole = whole.reduce(|one, other| shared(&one, &other));
        let whole = whole.unwrap_or_default();
        whole
            .strip_prefix(&self.typed)
            .unwrap_or_default()
            .to_owned()
    }

    /// Returns the words to offer; `None` if the only one is already typed.
    pub(super) fn offers(&self) -> Option<String> {
        let words: Vec<&str> = self.found.iter().map(|word| word.trim_end()).collect();
        match words.as_slice() {
            [] => None,
            [only] if *only == self.typed => None,
            // The field is already typed, so only the values are shown.
            several => {
                let value = |word: &str| {
                    let (_, value) = word.split_once(':').unwrap_or_default();
                    if value.is_empty() {
                        word.to_owned()
                    } else {
                        value.to_owned()
                    }
                };
                let values: Vec<String> = several.iter().map(|word| value(word)).collect();
                Some(values.join(" "))
            }
        }
    }
}

impl KnownValues {
    /// Returns the possible values of this field; empty if any text is possible.
    fn values(&self, field: &str) -> Vec<String> {
        let owned = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect();
        match field {
            "type" => self.types(),
            "status" => owned(&STATUSES),
            "hook" => self.hooks.iter().map(u64::to_string).collect(),
            "replayed" | "note" | "missing" | "duplicate" | "late" | "repaired" | "verified" => {
                owned(&["yes", "no"])
            }
            "after" | "before" => owned(&TIMES),
            _ => Vec::new(),
        }
    }

    /// Returns the types of the history, each after its family such as `item.*`, and then
    /// all other types of the catalogue.
    fn types(&self) -> Vec<String> {
        let known = EventType::ALL.iter().map(|kind| kind.as_str());
        let all = self.types.iter().map(String::as_str).chain(known);
        let mut types = Vec::new();
        let mut listed = BTreeSet::new();
        for kind in all {
            let family = kind
                .split_once('.')
                .map(|(family, _)| format!("{family}.*"));
            for value in family.into_iter().chain([kind.to_owned()]) {
                if listed.insert(value.clone()) {
                    types.push(value);
                }
            }
        }
        types
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::saved_filters;

    fn complete_text(before: &str) -> String {
        let saved = saved_filters(&[
            ("errors", "status:5xx"),
            ("errands", "task:1"),
            ("mine", "hook:1"),
        ]);
        let completion = Completion::of(before, &saved, &known_values());
        format!("{before}{}", completion.rest())
    }

    fn known_values() -> KnownValues {
        KnownValues {
            types: vec!["my.own".to_owned()],
            hooks: vec![90_211],
        }
    }

    #[test]
    fn a_word_is_completed_as_far_as_it_is_sure() {
        for (before, after) in [
            ("@m", "@mine "),
            ("item:1 -@m", "item:1 -@mine "),
            ("@e", "@err"),
            ("@erro", "@errors "),
            ("ty", "type:"),
            ("-ty", "-type:"),
            ("x", "x"),
            ("@x", "@x"),
            ("", ""),
            ("\"ty", "\"ty"),
            ("type:zz", "type:zz"),
            ("type:it", "type:item."),
            ("-type:item.u", "-type:item.update "),
            ("type:my.o", "type:my.own "),
            ("hook:9", "hook:90211 "),
            ("status:er", "status:error "),
            ("item:", "item:"),
        ] {
            assert_eq!(complete_text(before), after, "{before:?}");
        }
    }

    #[test]
    fn what_is_not_sure_yet_is_offered() {
        let saved = saved_filters(&[("errors", "status:5xx"), ("errands", "task:1")]);
        let offers = |before| Completion::of(before, &saved, &known_values()).offers();
        assert_eq!(offers("status:").as_deref(), Some(&*STATUSES.join(" ")));
        let types = offers("type:my").unwrap();
        assert_eq!(types, "my.* my.own");
        assert!(offers("type:").unwrap().starts_with("my.* my.own "));
        assert_eq!(offers("@err").as_deref(), Some("@errands @errors"));
        assert_eq!(offers("@errors"), None);
        assert_eq!(offers("zzz"), None);
    }
}
