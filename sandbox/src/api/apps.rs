//! Apps, their fields, spaces and their members.

use http::Method;
use podtap_podio::EventType;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{Answer, Refused, Request};
use crate::seed::SeedField;
use crate::world::{World, show_app, show_field, show_space};

pub(super) fn route_app(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    match (&request.method, rest) {
        (&Method::GET, ["space", space_id]) => {
            caller.must_be_user()?;
            let space_id = input::id(space_id)?;
            let apps = world.apps.values().filter(|app| app.space_id == space_id);
            Ok(Answer::json(apps.map(show_app).collect()))
        }
        (&Method::GET, [app_id]) => {
            let app = caller.app(world, input::id(app_id)?)?;
            Ok(Answer::json(show_app(app)))
        }
        (&Method::GET, [app_id, "field", field]) => {
            let app = caller.app(world, input::id(app_id)?)?;
            let field = app.field(field).map_err(|_| Refused::not_found())?;
            Ok(Answer::json(show_field(field)))
        }
        (&Method::POST, []) => {
            caller.must_be_user()?;
            create(world, &request.json()?)
        }
        (&Method::PUT, [app_id]) => {
            caller.must_be_user()?;
            let body = request.json()?;
            let config = body.get("config").unwrap_or(&Value::Null);
            world.rename_app(input::id(app_id)?, input::text(config, "name")?)?;
            Ok(Answer::empty())
        }
        (&Method::DELETE, [app_id]) => {
            caller.must_be_user()?;
            world.delete_app(input::id(app_id)?)?;
            Ok(Answer::empty())
        }
        _ => Err(Refused::no_route()),
    }
}

pub(super) fn route_space(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::GET, [space_id]) => {
            let space = world.spaces.get(&input::id(space_id)?);
            Ok(Answer::json(show_space(
                space.ok_or_else(Refused::not_found)?,
            )))
        }
        (&Method::POST, [space_id, "member"]) => {
            let space_id = input::id(space_id)?;
            for user_id in input::ids(&request.json()?, "users")? {
                world.change_member(EventType::MemberAdd, space_id, user_id)?;
            }
            Ok(Answer::empty())
        }
        (&Method::DELETE, [space_id, "member", user_ids]) => {
            let space_id = input::id(space_id)?;
            for user_id in user_ids.split(',') {
                world.change_member(EventType::MemberRemove, space_id, input::id(user_id)?)?;
            }
            Ok(Answer::empty())
        }
        _ => Err(Refused::no_route()),
    }
}

fn create(world: &mut World, body: &Value) -> Result<Answer, Refused> {
    let config = body.get("config").unwrap_or(&Value::Null);
    let fields = match body.get("fields") {
        None => Vec::new(),
        Some(Value::Array(fields)) => fields.iter().map(field).collect::<Result<_, _>>()?,
        Some(other) => return Err(Refused::wrong_type(other, "array")),
    };
    let space_id = input::number(body, "space_id")?;
    let app_id = world.create_app(space_id, input::text(config, "name")?, fields)?;
    Ok(Answer::json(json!({ "app_id": app_id })))
}

/// Podio makes the `external_id` of a field from its label.
fn field(body: &Value) -> Result<SeedField, Refused> {
    let config = body.get("config").unwrap_or(&Value::Null);
    let label = input::text(config, "label")?;
    let options = config
        .pointer("/settings/options")
        .and_then(Value::as_array);
    let options = options.into_iter().flatten();
    Ok(SeedField {
        external_id: label.to_lowercase().replace(' ', "-"),
        kind: input::text(body, "type")?.to_owned(),
        label: label.to_owned(),
        options: options
            .filter_map(|option| option.get("text").unwrap_or(option).as_str())
            .map(str::to_owned)
            .collect(),
        settings: config
            .get("settings")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
    })
}
