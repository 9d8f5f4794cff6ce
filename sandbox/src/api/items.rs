//! Implements the operations on items: reading, writing, revisions (podio.md 5).

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::{input, list, references};
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{ItemDraft, StoredItem, World, field_values, show_change, show_values};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (_, ["app", app_id, rest @ ..]) => {
            let app_id = caller.app(world, input::id(app_id)?)?.id;
            in_app(world, caller, request, app_id, rest)
        }
        (&Method::GET, ["field", field_id, list @ ("find" | "top")]) => {
            references::candidates(world, caller, request, input::id(field_id)?, list)
        }
        (method, [item_id, rest @ ..]) => {
            let item_id = input::id(item_id)?;
            caller.item(world, item_id)?;
            match *method {
                Method::GET => read(world, request, item_id, rest),
                _ => write(world, caller, request, item_id, rest),
            }
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Runs an operation on the items of an app.
fn in_app(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::POST, []) => create(world, caller, request, app_id),
        (&Method::GET, [] | ["v2"]) => list::by_query(world, caller, request, app_id),
        (&Method::POST, ["filter"]) => list::by_body(world, caller, &request.json()?, app_id, None),
        (&Method::POST, ["filter", view]) => {
            let view = percent_decode_str(view).decode_utf8_lossy();
            list::by_body(world, caller, &request.json()?, app_id, Some(&view))
        }
        (&Method::GET, ["count"]) => {
            let count = list::count(world, caller, request, app_id)?;
            Ok(ApiAnswer::json(json!({ "count": count })))
        }
        (&Method::GET, ["external_id", external_id]) => {
            let external_id = percent_decode_str(external_id).decode_utf8_lossy();
            let mut items = world.items.values().filter(|item| item.app_id == app_id);
            let item = items.find(|item| item.external_id.as_deref() == Some(&external_id));
            let item = item.ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(world.show_item(item)?))
        }
        (&Method::POST, ["delete"]) => delete(world, caller, request, app_id),
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Deletes the items that the body names or that its filters match. All are deleted at
/// once; Podio takes some time for many.
fn delete(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
) -> Result<ApiAnswer, ErrorAnswer> {
    let body = request.json()?;
    let mut wanted = input::ids(&body, "item_ids")?;
    let filters = body.get("filters").filter(|filters| !filters.is_null());
    let view = match input::optional_number(&body, "view_id")? {
        Some(id) => Some(world.view(world.app(app_id)?, &id.to_string(), &caller.author)?),
        None => None,
    };
    // Without filters and view, no items are meant, not all.
    if filters.is_some() || view.is_some() {
        let found = list::matching(world, app_id, filters, view)?;
        wanted.extend(found.iter().map(|item| item.id));
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|id| {
        world
            .items
            .get(id)
            .is_some_and(|item| item.app_id == app_id)
    });
    for item_id in &wanted {
        world.delete_item(*item_id, input::switches(request))?;
    }
    Ok(ApiAnswer::json(json!({ "deleted": wanted, "pending": [] })))
}

fn create(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
) -> Result<ApiAnswer, ErrorAnswer> {
    let draft = draft(&request.json()?)?;
    let switches = input::switches(request);
    let item_id = world.create_item(app_id, draft, &caller.author, switches)?;
    Ok(ApiAnswer::json(world.show_item(world.item(item_id)?)?))
}

fn read(
    world: &World,
    request: &ApiRequest,
    item_id: u64,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let item = world.item(item_id)?;
    let answer = match rest {
        [] | ["basic"] => world.show_item(item)?,
        ["value"] => show_values(world.app(item.app_id)?, &item.values),
        // The values in another form, which is not known well enough.
        ["value", "v2"] => return Err(ErrorAnswer::no_route()),
        ["value", field] => {
            let field = world.app(item.app_id)?.field(field)?;
            json!(item.values.get(&field.id))
        }
        ["revision"] => {
            let changes = item.revisions.iter().zip(0..);
            return input::page(request, changes.map(|(change, n)| show_change(n, change)));
        }
        ["reference"] => references::by_field(world, item_id),
        ["revision", number] => {
            let number = input::id(number)?;
            show_change(number, item.change(number)?)
        }
        ["reference", "field", field] | ["reference", field, "preview"] => {
            let field = input::id(field)?;
            return references::by_one_field(world, request, item_id, field);
        }
        ["revision", from, to] => world.show_difference(item, input::id(from)?, input::id(to)?)?,
        _ => return Err(ErrorAnswer::no_route()),
    };
    Ok(ApiAnswer::json(answer))
}

fn write(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    item_id: u64,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let switches = input::switches(request);
    let draft = match (&request.method, rest) {
        (&Method::PUT, []) => draft(&request.json()?)?,
        (&Method::PUT, ["value"]) => ItemDraft {
            fields: request.json()?,
            ..ItemDraft::default()
        },
        (&Method::PUT, ["value", field]) => {
            one_field(world, world.item(item_id)?, field, &request.json()?)?
        }
        (&Method::DELETE, []) => {
            world.delete_item(item_id, switches)?;
            return Ok(ApiAnswer::empty());
        }
        (&Method::DELETE, ["revision", revision]) => {
            let revision = world.revert_item(item_id, input::id(revision)?, &caller.author)?;
            return Ok(ApiAnswer::json(json!({ "revision": revision })));
        }
        (&Method::POST, ["revision", revision, "revert_to"]) => {
            let revision = world.revert_item(item_id, input::id(revision)? + 1, &caller.author)?;
            return Ok(ApiAnswer::json(json!({ "revision": revision })));
        }
        (&Method::POST, ["clone"]) => return clone(world, caller, item_id),
        _ => return Err(ErrorAnswer::no_route()),
    };
    let revision = world.update_item(item_id, draft, &caller.author, switches)?;
    let item = world.item(item_id)?;
    let title = item.title(world.app(item.app_id)?);
    Ok(ApiAnswer::json(
        json!({ "revision": revision, "title": title }),
    ))
}

/// Clones an item. The operation has no switch for hooks, so it always fires (podio.md 5.3).
fn clone(world: &mut World, caller: &Caller, item_id: u64) -> Result<ApiAnswer, ErrorAnswer> {
    let item = world.item(item_id)?;
    let app_id = item.app_id;
    let values = item.values.iter();
    let fields: Map<_, _> = values
        .map(|(field, values)| (field.to_string(), Value::Array(values.clone())))
        .collect();
    let draft = ItemDraft {
        fields: fields.into(),
        ..ItemDraft::default()
    };
    let switches = crate::world::Switches::DEFAULT;
    let item_id = world.create_item(app_id, draft, &caller.author, switches)?;
    Ok(ApiAnswer::json(json!({ "item_id": item_id })))
}

fn one_field(
    world: &World,
    item: &StoredItem,
    field: &str,
    given: &Value,
) -> Result<ItemDraft, ErrorAnswer> {
    let field = world.app(item.app_id)?.field(field)?;
    let values = field_values(field, given)?;
    Ok(ItemDraft {
        fields: json!({ field.id.to_string(): values }),
        ..ItemDraft::default()
    })
}

fn draft(body: &Value) -> Result<ItemDraft, ErrorAnswer> {
    Ok(ItemDraft {
        fields: body.get("fields").cloned().unwrap_or_default(),
        external_id: input::optional_text(body, "external_id")?,
        tags: body.get("tags").map(input::texts).transpose()?,
        file_ids: input::ids(body, "file_ids")?,
        revision: input::optional_number(body, "revision")?,
    })
}
