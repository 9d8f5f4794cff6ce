//! Finds references between items: which items refer to an item, and to which items a field
//! may refer.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{StoredItem, World, show_field};

/// Returns the items to which a reference field may refer: those of the apps in its
/// settings, or of its own app if the settings name none.
pub(super) fn candidates(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    field_id: u64,
    list: &str,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["limit", "offset", "text", "not_item_id"])?;
    let own = world.app_of_field(field_id)?;
    caller.may_reach_app(own.id)?;
    let field = own.fields.iter().find(|field| field.id == field_id);
    let settings = field.map_or(&Value::Null, |field| &field.settings);
    let referenced = settings.get("referenced_apps").and_then(Value::as_array);
    let apps: Vec<u64> = referenced.map_or_else(
        || vec![own.id],
        |apps| {
            let id = |app: &Value| app.get("app_id").unwrap_or(app).as_u64();
            apps.iter().filter_map(id).collect()
        },
    );
    let text = request.query("text").unwrap_or_default().to_lowercase();
    let not = input::query_number(request, "not_item_id")?;
    let not = not.and_then(|id| u64::try_from(id).ok());
    let items = world.items.values().filter(|item| {
        let app = world.apps.get(&item.app_id);
        let is_named = |app| item.title(app).to_lowercase().contains(&text);
        apps.contains(&item.app_id) && Some(item.id) != not && app.is_some_and(is_named)
    });
    let mut items: Vec<_> = items.collect();
    if list == "top" {
        items.sort_by_key(|item| std::cmp::Reverse(referring(world, item.id).count()));
    }
    input::page(
        request,
        items.into_iter().map(|item| show_reference(world, item)),
    )
}

/// Returns the items that refer to this one in this field.
pub(super) fn by_one_field(
    world: &World,
    request: &ApiRequest,
    item_id: u64,
    field_id: u64,
) -> Result<ApiAnswer, ErrorAnswer> {
    let items = referring(world, item_id).filter(|(_, field)| *field == field_id);
    input::page(request, items.map(|(item, _)| show_reference(world, item)))
}

/// Returns the items that refer to this one, each with the field.
fn referring(world: &World, item_id: u64) -> impl Iterator<Item = (&StoredItem, u64)> {
    let names = move |values: &Vec<Value>| {
        let target = |value: &Value| value.pointer("/value/item_id").and_then(Value::as_u64);
        values.iter().any(|value| target(value) == Some(item_id))
    };
    world.items.values().flat_map(move |item| {
        let fields = item.values.iter().filter(move |(_, values)| names(values));
        fields.map(move |(field, _)| (item, *field))
    })
}

/// Returns the items that refer to this one, by app and field.
pub(super) fn by_field(world: &World, item_id: u64) -> Value {
    let mut groups = BTreeMap::<(u64, u64), Vec<Value>>::new();
    for (item, field) in referring(world, item_id) {
        let group = groups.entry((item.app_id, field)).or_default();
        group.push(show_reference(world, item));
    }
    let shown = groups
        .into_iter()
        .filter_map(|((app_id, field_id), items)| {
            let app = world.apps.get(&app_id)?;
            let field = app.fields.iter().find(|field| field.id == field_id)?;
            Some(json!({
                "app": { "app_id": app_id, "name": app.name, "item_name": app.item_name },
                "field": show_field(field),
                "items": items,
            }))
        });
    shown.collect()
}

fn show_reference(world: &World, item: &StoredItem) -> Value {
    let title = world.apps.get(&item.app_id).map(|app| item.title(app));
    json!({ "item_id": item.id, "app_item_id": item.app_item_id, "title": title })
}
