//! Describes what changed in an item, field by field. Pure.

use podtap_podio::client::{FieldChange as Difference, FieldValue, Item};
use podtap_podio::wording::{self, Locale, WordedField};
use serde_json::Value;

use super::ExplainedField;
use crate::history::KnownItem;

/// A change in words, or a note if Podio reports a change but the values are equal.
pub(super) type WordedChange = Result<ExplainedField, String>;

/// Returns the differences between two revisions. If a difference lacks the settings of its field,
/// they are taken from the item.
pub(super) fn changes(
    differences: &[Difference],
    item: Option<&Item>,
    locale: Locale,
) -> Vec<WordedChange> {
    let told = differences.iter().map(|difference| {
        let named = name(
            &difference.label,
            &difference.external_id,
            difference.field_id,
        );
        let field = WordedField {
            kind: &difference.kind,
            settings: settings(difference, item),
        };
        match wording::change(field, &difference.from, &difference.to, locale) {
            Some((from, to)) => Ok(ExplainedField {
                field: named,
                from,
                to,
            }),
            None => Err(format!(
                "Podio reports {named} as changed, but its value is the same before and after"
            )),
        }
    });
    told.collect()
}

/// Returns the values with which an item was created: its
/// current values, except those that `since` has changed.
pub(super) fn first_values(item: &Item, since: &[Difference], locale: Locale) -> Vec<WordedChange> {
    let changed = |field_id| since.iter().find(|change| change.field_id == field_id);
    let of_item = item.fields.iter().map(|field| {
        let values = changed(field.field_id).map_or(&field.values, |change| &change.from);
        let shape = WordedField {
            kind: &field.kind,
            settings: &field.config.settings,
        };
        let named = name(&field.label, &field.external_id, field.field_id);
        (named, wording::values(shape, values, locale))
    });
    // A field that was emptied since then is no longer in the item.
    let held = |field_id| item.fields.iter().any(|field| field.field_id == field_id);
    let emptied = since.iter().filter(|change| !held(change.field_id));
    let emptied = emptied.map(|change| {
        let shape = WordedField {
            kind: &change.kind,
            settings: settings(change, Some(item)),
        };
        let named = name(&change.label, &change.external_id, change.field_id);
        (named, wording::values(shape, &change.from, locale))
    });
    let told = of_item.chain(emptied).filter(|(_, to)| !to.is_empty());
    let told = told.map(|(field, to)| {
        Ok(ExplainedField {
            field,
            from: String::new(),
            to,
        })
    });
    told.collect()
}

/// Returns what is stored about an item for the time after its deletion.
pub(super) fn to_known_item(item: &Item, locale: Locale) -> KnownItem {
    let values = first_values(item, &[], locale).into_iter().flatten();
    KnownItem {
        title: item.title.clone(),
        link: item.link.clone(),
        app: item.app.as_ref().map(|app| app.name.clone()),
        revision: item.revision,
        values: values.map(|held| (held.field, held.to)).collect(),
    }
}

fn settings<'a>(difference: &'a Difference, item: Option<&'a Item>) -> &'a Value {
    let own = &difference.config.settings;
    let same = |field: &&FieldValue| field.field_id == difference.field_id;
    match item.and_then(|item| item.fields.iter().find(same)) {
        Some(field) if own.is_null() => &field.config.settings,
        _ => own,
    }
}

fn name(label: &str, external_id: &str, field_id: u64) -> String {
    match (label, external_id) {
        ("", "") => format!("field {field_id}"),
        ("", external_id) => external_id.to_owned(),
        (label, _) => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn item(fields: &Value) -> Item {
        from_value(json!({ "item_id": 4, "revision": 3, "fields": fields })).unwrap()
    }

    fn differences(body: Value) -> Vec<Difference> {
        from_value(body).unwrap()
    }

    fn pair(told: &WordedChange) -> (&str, &str, &str) {
        let change = told.as_ref().unwrap();
        (&change.field, &change.from, &change.to)
    }

    #[test]
    fn what_a_difference_does_not_say_of_its_field_the_item_does() {
        let item = item(&json!([{
            "field_id": 7, "type": "text", "label": "Size", "values": [],
            "config": { "settings": { "size": "small", "format": "plain" } },
        }]));
        let changed = differences(json!([{
            "field_id": 7, "type": "text", "label": "Size",
            "from": [{ "value": "a <b and c> d" }], "to": [{ "value": "a < b" }],
        }]));

        let told = changes(&changed, Some(&item), Locale::NONE);

        assert_eq!(pair(&told[0]), ("Size", "a <b and c> d", "a < b"));
    }

    #[test]
    fn a_changed_item_was_created_with_what_the_later_changes_began_from() {
        let item = item(&json!([
            { "field_id": 1, "type": "text", "label": "Title", "values": [{ "value": "Frames" }] },
            { "field_id": 2, "type": "state", "label": "State", "values": [{ "value": "Paid" }] },
            { "field_id": 4, "type": "state", "label": "New", "values": [{ "value": "x" }] },
        ]));
        let since = differences(json!([
            { "field_id": 2, "type": "state", "from": [{ "value": "Open" }], "to": [{ "value": "Paid" }] },
            { "field_id": 3, "type": "state", "external_id": "gone", "from": [{ "value": "y" }], "to": [] },
            { "field_id": 4, "type": "state", "from": [], "to": [{ "value": "x" }] },
        ]));

        let told = first_values(&item, &since, Locale::NONE);

        let told: Vec<_> = told.iter().map(pair).collect();
        assert_eq!(
            told,
            [
                ("Title", "", "Frames"),
                ("State", "", "Open"),
                ("gone", "", "y")
            ]
        );
    }

    #[test]
    fn what_podio_calls_changed_and_is_not_is_noted() {
        let same = json!([{ "value": "x" }]);
        let changed =
            differences(json!([{ "field_id": 9, "type": "text", "from": same, "to": same }]));
        let told = changes(&changed, None, Locale::NONE);
        assert!(
            told[0].as_ref().unwrap_err().contains("field 9"),
            "{told:?}"
        );
    }
}
