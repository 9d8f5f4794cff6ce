//! Item operations: reading, writing, revisions (podio.md 5).

use http::Method;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{Answer, Refused, Request};
use crate::world::{Draft, Item, World, field_values, show_change, show_values};

/// Items in one answer where nothing else is asked; Podio's own default.
const PAGE: usize = 30;

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    match (&request.method, rest) {
        (&Method::POST, ["app", app_id]) => create(world, caller, request, app_id),
        (&Method::GET, ["app", app_id]) | (&Method::POST, ["app", app_id, "filter"]) => {
            list(world, caller, request, app_id)
        }
        (method, [item_id, rest @ ..]) => {
            let item_id = input::id(item_id)?;
            caller.item(world, item_id)?;
            match *method {
                Method::GET => read(world, item_id, rest),
                _ => write(world, caller, request, item_id, rest),
            }
        }
        _ => Err(Refused::no_route()),
    }
}

fn create(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    app_id: &str,
) -> Result<Answer, Refused> {
    let app_id = input::id(app_id)?;
    caller.app(world, app_id)?;
    let draft = draft(&request.json()?)?;
    let switches = input::switches(request);
    let item_id = world.create_item(app_id, draft, &caller.author, switches)?;
    Ok(Answer::json(world.show_item(world.item(item_id)?)?))
}

fn list(
    world: &World,
    caller: &Caller,
    request: &Request,
    app_id: &str,
) -> Result<Answer, Refused> {
    let app_id = input::id(app_id)?;
    caller.app(world, app_id)?;
    let body = request.json()?;
    let limit = input::optional_number(&body, "limit")?;
    let limit = limit.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE));
    let offset = input::optional_number(&body, "offset")?.unwrap_or(0);
    let items: Vec<_> = world
        .items
        .values()
        .filter(|i| i.app_id == app_id)
        .collect();
    let page = items
        .iter()
        .rev()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX));
    let page = page.take(limit).map(|item| world.show_item(item));
    let page = page.collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::json(json!({
        "total": items.len(),
        "filtered": items.len(),
        "items": page,
    })))
}

fn read(world: &World, item_id: u64, rest: &[&str]) -> Result<Answer, Refused> {
    let item = world.item(item_id)?;
    let answer = match rest {
        [] | ["basic"] => world.show_item(item)?,
        ["value"] => show_values(world.app(item.app_id)?, &item.values),
        ["value", field] => {
            let field = world.app(item.app_id)?.field(field)?;
            json!(item.values.get(&field.id))
        }
        ["revision"] => {
            let changes = item.revisions.iter().zip(0..);
            changes.map(|(change, n)| show_change(n, change)).collect()
        }
        ["revision", number] => {
            let number = input::id(number)?;
            show_change(number, item.change(number)?)
        }
        ["revision", from, to] => world.show_difference(item, input::id(from)?, input::id(to)?)?,
        _ => return Err(Refused::no_route()),
    };
    Ok(Answer::json(answer))
}

fn write(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    item_id: u64,
    rest: &[&str],
) -> Result<Answer, Refused> {
    let switches = input::switches(request);
    let draft = match (&request.method, rest) {
        (&Method::PUT, []) => draft(&request.json()?)?,
        (&Method::PUT, ["value"]) => Draft {
            fields: request.json()?,
            ..Draft::default()
        },
        (&Method::PUT, ["value", field]) => {
            one_field(world, world.item(item_id)?, field, &request.json()?)?
        }
        (&Method::DELETE, []) => {
            world.delete_item(item_id, switches)?;
            return Ok(Answer::empty());
        }
        (&Method::DELETE, ["revision", revision]) => {
            let revision = world.revert_item(item_id, input::id(revision)?, &caller.author)?;
            return Ok(Answer::json(json!({ "revision": revision })));
        }
        (&Method::POST, ["clone"]) => return clone(world, caller, item_id),
        _ => return Err(Refused::no_route()),
    };
    let revision = world.update_item(item_id, draft, &caller.author, switches)?;
    let item = world.item(item_id)?;
    let title = item.title(world.app(item.app_id)?);
    Ok(Answer::json(
        json!({ "revision": revision, "title": title }),
    ))
}

/// Has no switch for hooks, so that it always fires (podio.md 5.3).
fn clone(world: &mut World, caller: &Caller, item_id: u64) -> Result<Answer, Refused> {
    let item = world.item(item_id)?;
    let app_id = item.app_id;
    let values = item.values.iter();
    let fields: Map<_, _> = values
        .map(|(field, values)| (field.to_string(), Value::Array(values.clone())))
        .collect();
    let draft = Draft {
        fields: fields.into(),
        ..Draft::default()
    };
    let switches = crate::world::Switches::DEFAULT;
    let item_id = world.create_item(app_id, draft, &caller.author, switches)?;
    Ok(Answer::json(json!({ "item_id": item_id })))
}

fn one_field(world: &World, item: &Item, field: &str, given: &Value) -> Result<Draft, Refused> {
    let field = world.app(item.app_id)?.field(field)?;
    let values = field_values(field, given)?;
    Ok(Draft {
        fields: json!({ field.id.to_string(): values }),
        ..Draft::default()
    })
}

fn draft(body: &Value) -> Result<Draft, Refused> {
    Ok(Draft {
        fields: body.get("fields").cloned().unwrap_or_default(),
        external_id: input::optional_text(body, "external_id")?,
        tags: body.get("tags").map(input::texts).transpose()?,
        file_ids: input::ids(body, "file_ids")?,
        revision: input::optional_number(body, "revision")?,
    })
}
