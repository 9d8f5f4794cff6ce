//! Web forms, status posts, contacts and tags: enough of each to make its events happen.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{Answer, Refused, Request};
use crate::world::{ThingKind, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    segments: &[&str],
) -> Result<Answer, Refused> {
    let (kind, rest) = match segments {
        ["tag", rest @ ..] => return route_tag(world, caller, request, rest),
        ["form", rest @ ..] => (ThingKind::Form, rest),
        ["status", rest @ ..] => (ThingKind::Status, rest),
        ["contact", rest @ ..] => (ThingKind::Contact, rest),
        _ => return Err(Refused::no_route()),
    };
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::POST, ["app" | "space", owner]) => {
            let id = world.create_thing(kind, input::id(owner)?, request.json()?)?;
            Ok(Answer::json(json!({ kind.id_name(): id })))
        }
        (&Method::GET, [id]) => {
            let thing = world.thing(kind, input::id(id)?)?;
            let mut body = thing.body.clone();
            if let Value::Object(members) = &mut body {
                members.insert(kind.id_name().to_owned(), input::id(id)?.into());
            }
            Ok(Answer::json(body))
        }
        (&Method::PUT, [id]) => {
            world.update_thing(kind, input::id(id)?, request.json()?)?;
            Ok(Answer::empty())
        }
        (&Method::DELETE, [id]) => {
            world.delete_thing(kind, input::id(id)?)?;
            Ok(Answer::empty())
        }
        _ => Err(Refused::no_route()),
    }
}

fn route_tag(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    let ["item", item_id] = rest else {
        return Err(Refused::no_route());
    };
    let item_id = input::id(item_id)?;
    caller.item(world, item_id)?;
    let switches = input::switches(request);
    match request.method {
        Method::POST => {
            world.add_tags(item_id, input::texts(&request.json()?)?, switches)?;
        }
        Method::DELETE => {
            let tag = request.query("text").unwrap_or_default().to_owned();
            world.delete_tag(item_id, tag, switches)?;
        }
        _ => return Err(Refused::no_route()),
    }
    Ok(Answer::empty())
}
