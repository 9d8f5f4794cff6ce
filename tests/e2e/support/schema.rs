//! Checks every JSON line that `podtap` prints in these tests against
//! `docs/json.schema.json`. An unknown field is an error here, although programs ignore it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../docs/json.schema.json");

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    schema["unevaluatedProperties"] = json!(false);
    for definition in schema["$defs"].as_object_mut().unwrap().values_mut() {
        close_within(definition);
    }
    jsonschema::validator_for(&schema).unwrap()
});

/// Forbids other fields in nested objects, too.
fn close_within(schema: &mut Value) {
    let alternatives = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    alternatives.into_iter().flatten().for_each(close_within);
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten() {
        let is_list = property.get("items").is_some_and(Value::is_object);
        let inner = if is_list {
            &mut property["items"]
        } else {
            property
        };
        if inner.get("properties").is_some() || inner.get("$ref").is_some() {
            close_within(inner);
            inner["unevaluatedProperties"] = json!(false);
        }
    }
}

/// Returns what is wrong with a JSON line.
fn faults(line: &str) -> Vec<String> {
    let object: Value = match serde_json::from_str(line) {
        Ok(object) => object,
        Err(error) => return vec![format!("not JSON: {error}")],
    };
    let faults = VALIDATOR.iter_errors(&object);
    faults
        .map(|fault| format!("{} {fault}", fault.instance_path()))
        .collect()
}

/// Checks the output of `podtap`. With `--json`, the schema judges every line; otherwise the
/// lines that begin like its lines.
pub(crate) fn check<'a>(is_json: bool, lines: impl IntoIterator<Item = &'a str>) {
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        // A process that was killed may have written a part of its last line.
        let is_cut = lines.peek().is_none() && !line.ends_with('}');
        let is_line = is_json || line.starts_with("{\"v\":");
        if is_line && !is_cut {
            let faults = faults(line);
            assert!(faults.is_empty(), "{faults:#?}\n{line}");
        }
    }
}

#[test]
fn the_schema_takes_the_examples_of_the_document_and_nothing_else() {
    let document = include_str!("../../../docs/JSON.md");
    let examples: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with('{'))
        .collect();
    assert_eq!(examples.len(), 2);
    check(true, examples.iter().copied());
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let types = schema["properties"]["type"]["enum"].as_array().unwrap();
    assert!(types.len() > 20, "{types:?}");
    for name in types {
        // Each has something that it must say, and lists what it may say.
        let empty = json!({ "v": 1, "type": name }).to_string();
        assert!(!faults(&empty).is_empty(), "{empty}");
        let rules = schema["allOf"].as_array().unwrap().iter();
        let rules: Vec<_> = rules
            .filter(|rule| rule["if"]["properties"]["type"]["const"] == *name)
            .collect();
        assert_eq!(rules.len(), 1, "{name}");
    }
    for no_line in [
        "text",
        "[]",
        "{}",
        "{\"v\":1}",
        "{\"type\":\"url\",\"url\":\"https://x/\"}",
    ] {
        assert!(!faults(no_line).is_empty(), "{no_line}");
    }
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("\"type\":\"event\"", "\"type\":\"other\""),
        ("\"method\":\"POST\",", ""),
        ("\"seq\":42", "\"seq\":\"42\""),
        ("\"seq\":42", "\"seq\":42,\"undocumented\":1"),
        (
            "\"seq\":42",
            "\"seq\":42,\"verified\":{\"ok\":true,\"error\":null,\"x\":1}",
        ),
        ("2026-11-23T", "2026-11-23 "),
    ] {
        let wrong = examples[0].replacen(from, to, 1);
        assert_ne!(wrong, examples[0]);
        assert!(!faults(&wrong).is_empty(), "{wrong}");
    }
    assert!(!faults(&examples[1].replace(",\"status\":200", "")).is_empty());
}
