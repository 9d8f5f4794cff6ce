//! Implements the operations on apps and their fields.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::seed::SeedField;
use crate::world::{StoredApp, World, show_app, show_field};

pub(super) fn route_app(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::GET, [] | ["v2" | "top"]) => {
            caller.must_be_user()?;
            list(world, request, |_| true)
        }
        (&Method::GET, ["space", space_id]) => {
            caller.must_be_user()?;
            let space_id = input::id(space_id)?;
            list(world, request, |app| app.space_id == space_id)
        }
        (&Method::GET, ["space", space_id, label]) => {
            caller.must_be_user()?;
            let space_id = input::id(space_id)?;
            let named = |app: &&StoredApp| {
                app.space_id == space_id && app.name.to_lowercase() == label.to_lowercase()
            };
            let app = world.apps.values().find(named);
            Ok(ApiAnswer::json(show_app(
                app.ok_or_else(ErrorAnswer::not_found)?,
            )))
        }
        (&Method::GET, [app_id]) => {
            let app = caller.app(world, input::id(app_id)?)?;
            Ok(ApiAnswer::json(show_app(app)))
        }
        (&Method::GET, [app_id, "item", number]) => {
            let app_id = caller.app(world, input::id(app_id)?)?.id;
            let number = input::id(number)?;
            let mut items = world.items.values();
            let item = items.find(|item| (item.app_id, item.app_item_id) == (app_id, number));
            let item = item.ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(world.show_item(item)?))
        }
        (&Method::GET, [app_id, "field", field]) => {
            let app = caller.app(world, input::id(app_id)?)?;
            let field = app.field(field).map_err(|_| ErrorAnswer::not_found())?;
            Ok(ApiAnswer::json(show_field(field)))
        }
        (&Method::POST, []) => {
            caller.must_be_user()?;
            create(world, &request.json()?)
        }
        (_, [app_id, rest @ ..]) => {
            caller.must_be_user()?;
            change(world, request, input::id(app_id)?, rest)
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Runs the operations on an app that fire its hooks.
fn change(
    world: &mut World,
    request: &ApiRequest,
    app_id: u64,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::PUT, []) => {
            let revision = configure(world, app_id, &request.json()?)?;
            Ok(ApiAnswer::json(json!({ "revision": revision })))
        }
        (&Method::DELETE, []) => {
            world.delete_app(app_id)?;
            Ok(ApiAnswer::empty())
        }
        (&Method::POST, [switch @ ("activate" | "deactivate")]) => {
            let active = *switch == "activate";
            world.change_app(app_id, |app, _| {
                app.active = active;
                Ok(())
            })?;
            Ok(ApiAnswer::empty())
        }
        (&Method::POST, ["field"]) => {
            let new = field(&request.json()?)?;
            let field_id = world.change_app(app_id, |app, ids| app.add_field(ids, new))?;
            let revision = world.app(app_id)?.revision;
            Ok(ApiAnswer::json(
                json!({ "field_id": field_id, "revision": revision }),
            ))
        }
        (&Method::PUT, ["field", field_id]) => {
            let field_id = world.app(app_id)?.field(field_id)?.id;
            let change = field_change(&request.json()?)?;
            world.change_app(app_id, |app, _| app.change_field(field_id, change))?;
            let revision = world.app(app_id)?.revision;
            Ok(ApiAnswer::json(json!({ "revision": revision })))
        }
        (&Method::DELETE, ["field", field_id]) => {
            let field_id = world.app(app_id)?.field(field_id)?.id;
            let revision = world.delete_field(app_id, field_id)?;
            Ok(ApiAnswer::json(json!({ "revision": revision })))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Changes an app's names and fields in one change. A field without an id is created;
/// fields that are not named stay unchanged (podio.md 5.4).
fn configure(world: &mut World, app_id: u64, body: &Value) -> Result<u64, ErrorAnswer> {
    let config = body.get("config").unwrap_or(&Value::Null);
    let name = input::optional_text(config, "name")?;
    let item_name = input::optional_text(config, "item_name")?;
    let mut fields = Vec::new();
    for given in fields_of(body)? {
        let id = input::optional_number(given, "field_id")?;
        let field = if id.is_some() {
            field_change(given)?
        } else {
            field(given)?
        };
        fields.push((id, field));
    }
    world.change_app(app_id, |app, ids| {
        for (id, field) in fields {
            match id {
                Some(id) => app.change_field(id, field)?,
                None => drop(app.add_field(ids, field)?),
            }
        }
        app.name = name.unwrap_or_else(|| app.name.clone());
        app.item_name = item_name.unwrap_or_else(|| app.item_name.clone());
        Ok(app.revision + 1)
    })
}

fn fields_of(body: &Value) -> Result<&[Value], ErrorAnswer> {
    match body.get("fields") {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(fields)) => Ok(fields),
        Some(other) => Err(ErrorAnswer::wrong_type(other, "array")),
    }
}

fn list(
    world: &World,
    request: &ApiRequest,
    suits: impl Fn(&StoredApp) -> bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    let known = [
        "limit",
        "offset",
        "include_inactive",
        "view",
        "fields",
        "exclude_demo",
        "text",
    ];
    input::refuse_unknown(request, &known)?;
    let inactive = request.query("include_inactive") == Some("true");
    let text = request.query("text").unwrap_or_default().to_lowercase();
    let apps = world.apps.values().filter(|app| {
        suits(app) && (app.active || inactive) && app.name.to_lowercase().contains(&text)
    });
    input::page(request, apps.map(show_app))
}

fn create(world: &mut World, body: &Value) -> Result<ApiAnswer, ErrorAnswer> {
    let config = body.get("config").unwrap_or(&Value::Null);
    let fields = fields_of(body)?.iter().map(field);
    let fields = fields.collect::<Result<_, _>>()?;
    let space_id = input::number(body, "space_id")?;
    let app_id = world.create_app(space_id, input::text(config, "name")?, fields)?;
    Ok(ApiAnswer::json(json!({ "app_id": app_id })))
}

/// Reads a new field. Podio derives its `external_id` from its label.
fn field(body: &Value) -> Result<SeedField, ErrorAnswer> {
    let field = field_change(body)?;
    if field.label.is_empty() {
        return Err(ErrorAnswer::invalid("Missing parameter label"));
    }
    Ok(SeedField {
        external_id: field.label.to_lowercase().replace(' ', "-"),
        ..field
    })
}

/// Reads a field from a body. A missing label is empty.
fn field_change(body: &Value) -> Result<SeedField, ErrorAnswer> {
    let config = body.get("config").unwrap_or(&Value::Null);
    let label = match input::optional_text(config, "label")? {
        Some(label) => label,
        None => input::optional_text(body, "label")?.unwrap_or_default(),
    };
    let settings = config.get("settings").and_then(Value::as_object);
    let options = settings.and_then(|settings| settings.get("options")?.as_array());
    let options = options.into_iter().flatten();
    Ok(SeedField {
        external_id: String::new(),
        kind: input::optional_text(body, "type")?.unwrap_or_else(|| "text".to_owned()),
        label,
        options: options
            .filter_map(|option| option.get("text").unwrap_or(option).as_str())
            .map(str::to_owned)
            .collect(),
        settings: settings.cloned().unwrap_or_default(),
    })
}
