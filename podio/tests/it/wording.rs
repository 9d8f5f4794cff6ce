//! Formats values with the structure of Podio's responses (podio.md 5.2).

use podtap_podio::wording::{Locale, WordedField, change, values};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A row of `shapes.json`: values of a response, and the expected text.
#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    settings: Value,
    values: Vec<Value>,
    words: String,
}

/// A row of `changes.json`: a change in a response, and the expected text of both sides.
#[derive(Debug, Deserialize)]
struct Row {
    what: String,
    #[serde(rename = "type")]
    kind: String,
    from: Vec<Value>,
    to: Vec<Value>,
    words: (String, String),
}

fn changes() -> Vec<Row> {
    serde_json::from_str(include_str!("changes.json")).unwrap()
}

fn shapes() -> Vec<Shape> {
    serde_json::from_str(include_str!("shapes.json")).unwrap()
}

#[test]
fn values_of_every_type_read_as_people_say_them() {
    for shape in shapes() {
        let field = WordedField {
            kind: &shape.kind,
            settings: &shape.settings,
        };
        let words = values(field, &shape.values, Locale::NONE);
        assert_eq!(words, shape.words, "{} {:?}", shape.kind, shape.values);
    }
}

#[test]
fn a_change_that_a_name_hides_is_shown_by_what_differs() {
    for row in changes() {
        let field = WordedField {
            kind: &row.kind,
            settings: &Value::Null,
        };
        let told = change(field, &row.from, &row.to, Locale::NONE);
        assert_eq!(told, Some(row.words), "{}", row.what);
        let none = change(field, &row.from, &row.from, Locale::NONE);
        assert_eq!(none, None, "{}", row.what);
    }
}

#[test]
fn amounts_are_written_as_the_reader_writes_them() {
    let settings = Value::Null;
    let field = WordedField {
        kind: "money",
        settings: &settings,
    };
    let amount = [json!({ "value": "1280.5000", "currency": "EUR" })];
    for (locale, words) in [
        ("de_DE.UTF-8", "1.280,50 EUR"),
        ("en_US.UTF-8", "1,280.50 EUR"),
        ("C.UTF-8", "1280.50 EUR"),
        ("xx_YY", "1280.50 EUR"),
        ("", "1280.50 EUR"),
    ] {
        assert_eq!(
            values(field, &amount, Locale::from_posix_name(locale)),
            words,
            "{locale}"
        );
    }
}

#[test]
fn a_difference_far_into_a_long_text_is_shown_where_it_is() {
    let (from, to) = ("x".repeat(20_000), format!("{}y", "x".repeat(20_000)));
    let field = WordedField {
        kind: "state",
        settings: &Value::Null,
    };
    let one = |text| [json!({ "value": text })];
    let change = change(field, &one(from), &one(to), Locale::NONE);
    let (from, to) = change.unwrap();
    assert!(from.starts_with('…') && to.ends_with('y'), "{from} {to}");
    assert!(to.chars().count() < 1_000);
}

/// Generates small JSON values of any type.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9.<>&; -]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(
                "value|text|title|start|end|embed|type|currency",
                inner,
                0..3
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Replaces the `at`th node of a document by `odd`.
fn disturb(value: &mut Value, at: &mut usize, odd: &Value) {
    if *at == 0 {
        *value = odd.clone();
    }
    let Some(rest) = at.checked_sub(1) else {
        *at = usize::MAX;
        return;
    };
    *at = rest;
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| disturb(value, at, odd)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| disturb(value, at, odd)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn whatever_stands_where_a_value_should_there_are_words_and_never_the_same_twice(
        row in 0..shapes().len(),
        at in 1..40_usize,
        odd in any_json(),
        odd_settings in any_json(),
    ) {
        let Shape { kind, settings, values: given, .. } = shapes().swap_remove(row);
        let mut disturbed = Value::from(given.clone());
        disturb(&mut disturbed, &mut at.clone(), &odd);
        let disturbed = disturbed.as_array().cloned().unwrap_or_default();
        for settings in [settings, odd_settings] {
            let field = WordedField { kind: &kind, settings: &settings };
            let change = change(field, &given, &disturbed, Locale::NONE);
            prop_assert_eq!(change.is_none(), given == disturbed);
            if let Some((from, to)) = change {
                prop_assert_ne!(from, to);
            }
        }
    }

    #[test]
    fn two_values_that_differ_never_read_the_same(
        kind in "text|date|money|number|app|embed|calculation|duration|location|phone|other",
        from in proptest::collection::vec(any_json(), 0..3),
        to in proptest::collection::vec(any_json(), 0..3),
    ) {
        let field = WordedField { kind: &kind, settings: &Value::Null };
        let change = change(field, &from, &to, Locale::NONE);
        prop_assert_eq!(change.is_none(), from == to);
        if let Some((old, new)) = change {
            prop_assert_ne!(old, new);
        }
    }
}
