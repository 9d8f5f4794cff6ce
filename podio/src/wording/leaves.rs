//! Finds which members of two values differ. Used if nothing else shows the change.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{same_start, truncate_around};

/// Maximum number of members that are named; a changed object may differ in dozens.
const MOST: usize = 3;
/// Maximum length of a member's text, in characters.
const MAX_CHARS: usize = 200;

/// Returns the differing members of two lists of values
/// with the value of each side, as `name: value`.
pub(super) fn differing(from: &[Value], to: &[Value]) -> (String, String) {
    let (from, to) = (leaves(from), leaves(to));
    let mut names: Vec<_> = from.keys().chain(to.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| from.get(*name) != to.get(*name));
    names.truncate(MOST);
    let of = |leaves: &BTreeMap<String, String>, name: &str| {
        leaves.get(name).cloned().unwrap_or_else(|| "–".to_owned())
    };
    let side = |leaves: &BTreeMap<String, String>| {
        let pairs = names.iter().map(|name| {
            let start = same_start(&of(&from, name), &of(&to, name));
            // Podio wraps every value in a member named `value`, so that name is left out.
            let shown = name.strip_prefix("value.").unwrap_or(name);
            format!(
                "{shown}: {}",
                truncate_around(&of(leaves, name), start, MAX_CHARS)
            )
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    (side(&from), side(&to))
}

fn leaves(values: &[Value]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (index, value) in values.iter().enumerate() {
        let path = if values.len() > 1 {
            (index + 1).to_string()
        } else {
            String::new()
        };
        collect(path, value, &mut found);
    }
    found
}

fn collect(path: String, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| match path.as_str() {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                collect(below(name), member, found);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            for (index, value) in values.iter().enumerate() {
                collect(below(&(index + 1).to_string()), value, found);
            }
        }
        scalar => {
            found.insert(path, scalar.to_string());
        }
    }
}
