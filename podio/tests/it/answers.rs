//! Odd values in Podio's responses affect only their member, never the whole response.

use podtap_podio::client::{App, Comment, FieldChange, File, Hook, Item, Revision, Task};
use podtap_podio::wording::{Locale, WordedField, change, values};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn by_line() -> Value {
    json!({
        "user_id": -1, "name": "PodioApp", "url": "https://podio.com/x", "type": "app", "image": null,
        "avatar_type": "icon", "avatar": -1, "id": 17_912_486, "avatar_id": 251, "last_seen_on": null,
    })
}

fn revision() -> Value {
    json!({
        "item_revision_id": 1_455_227_481, "revision": 117, "type": "update",
        "created_on": "2017-03-24 19:15:23", "created_by": by_line(), "user": by_line(),
        "created_via": { "id": 23_304, "auth_client_id": 23_304, "name": "slack", "url": null, "display": true },
    })
}

fn field() -> Value {
    json!({
        "type": "money", "field_id": 142_571_068, "label": "Amount", "external_id": "amount",
        "values": [{ "value": "282.0000", "currency": "EUR" }],
        "config": { "settings": { "allowed_currencies": ["EUR"] }, "mapping": null, "label": "Amount" },
    })
}

/// Returns a response of each kind, with the structure of real ones.
fn answers() -> Vec<(&'static str, Value)> {
    let reference = json!({ "type": "item", "id": 577_139_125, "title": "Another", "link": null });
    vec![
        (
            "item",
            json!({
                "item_id": 577_139_125, "title": "Another", "external_id": null, "revision": 117,
                "app": { "app_id": 17_912_486, "name": "PodioApp", "item_name": "Item", "space_id": 5_188_236 },
                "created_on": "2017-03-11 21:05:13", "created_by": by_line(), "current_revision": revision(),
                "fields": [field()], "tags": ["urgent"], "link": "https://podio.com/x/items/2",
            }),
        ),
        ("revision", revision()),
        (
            "difference",
            json!({
                "field_id": 142_571_068, "type": "money", "label": "Amount", "external_id": "amount",
                "from": [{ "value": "282.0000", "currency": "EUR" }], "to": [],
            }),
        ),
        (
            "comment",
            json!({
                "comment_id": 9, "value": "Done", "rich_value": "<p>Done</p>", "created_by": by_line(),
                "created_on": "2017-03-11 21:05:13", "ref": reference,
            }),
        ),
        (
            "task",
            json!({
                "task_id": 9, "text": "Call", "status": "active", "due_date": null, "link": null,
                "responsible": { "user_id": -1, "name": "PodioApp" }, "created_by": by_line(), "ref": reference,
            }),
        ),
        (
            "file",
            json!({
                "file_id": 9, "name": "a.pdf", "mimetype": null, "size": 12, "link": null,
                "context": reference, "created_by": by_line(),
            }),
        ),
        (
            "app",
            json!({
                "app_id": 9, "space_id": 1, "link": null, "config": { "name": "Orders", "silent_edits": null },
                "rights": ["add_hook"], "fields": [field()],
            }),
        ),
        (
            "hook",
            json!({
                "hook_id": 9, "status": "active", "type": "item.update", "url": "https://a.example/",
                "created_on": null, "created_by": by_line(), "created_via": null,
            }),
        ),
    ]
}

fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, TestCaseError> {
    let read = serde_json::from_value(answer.clone());
    read.map_err(|error| TestCaseError::fail(format!("{error}: {answer}")))
}

fn check_understood(kind: &str, answer: &Value) -> Result<(), TestCaseError> {
    match kind {
        "item" => {
            let item: Item = read(answer)?;
            for field in &item.fields {
                let settings = &field.config.settings;
                let kind = &field.kind;
                values(WordedField { kind, settings }, &field.values, Locale::NONE);
            }
        }
        "difference" => {
            let told: FieldChange = read(answer)?;
            let field = WordedField {
                kind: &told.kind,
                settings: &told.config.settings,
            };
            change(field, &told.from, &told.to, Locale::NONE);
        }
        "revision" => drop(read::<Revision>(answer)?),
        "comment" => drop(read::<Comment>(answer)?),
        "task" => drop(read::<Task>(answer)?),
        "file" => drop(read::<File>(answer)?),
        "app" => drop(read::<App>(answer)?),
        // A hook without an id is invalid; a list leaves it out.
        _ if answer.get("hook_id").is_some_and(Value::is_u64) => drop(read::<Hook>(answer)?),
        _ => {}
    }
    Ok(())
}

/// Collects the JSON pointers of all nodes below the top.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(i, v)| (i.to_string(), v))
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in below {
        let at = format!("{at}/{name}");
        found.push(at.clone());
        pointers(value, &at, found);
    }
}

#[test]
fn a_null_anywhere_leaves_the_rest_readable() {
    for (kind, answer) in answers() {
        let mut nodes = Vec::new();
        pointers(&answer, "", &mut nodes);
        for node in nodes {
            let mut odd = answer.clone();
            *odd.pointer_mut(&node).unwrap() = Value::Null;
            check_understood(kind, &odd).unwrap_or_else(|error| panic!("{kind} {node}: {error}"));
        }
    }
}

#[test]
fn a_bad_member_costs_nothing_beside_it() {
    let (_, mut answer) = answers().swap_remove(0);
    answer["app"] = json!(7);
    answer["tags"] = json!([1, "urgent", null]);
    answer["fields"] = json!([null, field(), "x"]);

    let item: Item = serde_json::from_value(answer).unwrap();

    assert_eq!((item.title.as_str(), item.app), ("Another", None));
    assert_eq!(item.tags, ["urgent"]);
    assert_eq!(item.fields.len(), 1);
    assert_eq!(item.created_by.unwrap().name, "PodioApp");
}

fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        Just(json!([null])),
        Just(json!({ "id": null, "name": 7 })),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z<&]{0,5}".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn odd_shapes_anywhere_leave_the_rest_readable(
        which in 0..answers().len(),
        places in proptest::collection::vec((any::<prop::sample::Index>(), odd()), 1..6),
    ) {
        let (kind, mut answer) = answers().swap_remove(which);
        for (place, odd) in places {
            let mut nodes = Vec::new();
            pointers(&answer, "", &mut nodes);
            if let Some(node) = (!nodes.is_empty()).then(|| place.get(&nodes)) {
                *answer.pointer_mut(node).unwrap() = odd;
            }
        }
        check_understood(kind, &answer)?;
    }
}
