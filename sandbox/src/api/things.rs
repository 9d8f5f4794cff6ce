//! Web forms, status posts, contacts and tags: enough of each to make its events happen.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::{input, people};
use crate::answer::{Answer, Refused, Request};
use crate::world::{Item, Thing, ThingKind, World};

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
        (&Method::GET, []) if kind == ThingKind::Contact => {
            input::only(request, &["limit", "offset", "type"])?;
            let things = world.things.iter().filter(|(_, thing)| thing.kind == kind);
            let things = things.map(|(&id, thing)| show(id, thing));
            input::page(request, people::profiles(world).chain(things))
        }
        (&Method::GET, [owner_kind @ ("app" | "space"), owner]) => {
            let owner = input::id(owner)?;
            input::only(request, &["limit", "offset"])?;
            if (*owner_kind == "app") != (kind == ThingKind::Form) {
                return Err(Refused::no_route());
            }
            let things = world.things.iter();
            let things = things.filter(|(_, t)| t.kind == kind && t.owner == owner);
            input::page(request, things.map(|(&id, thing)| show(id, thing)))
        }
        (&Method::POST, ["app" | "space", owner]) => {
            let mut body = request.json()?;
            if let (ThingKind::Form, Value::Object(members)) = (kind, &mut body) {
                members.entry("status").or_insert_with(|| json!("active"));
            }
            let id = world.create_thing(kind, input::id(owner)?, body)?;
            Ok(Answer::json(json!({ kind.id_name(): id })))
        }
        (&Method::POST, [id, switch @ ("activate" | "deactivate")]) if kind == ThingKind::Form => {
            let status = if *switch == "activate" {
                "active"
            } else {
                "disabled"
            };
            world.update_thing(kind, input::id(id)?, json!({ "status": status }))?;
            Ok(Answer::empty())
        }
        (&Method::GET, [id]) => {
            let id = input::id(id)?;
            Ok(Answer::json(show(id, world.thing(kind, id)?)))
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

fn show(id: u64, thing: &Thing) -> Value {
    let mut body = thing.body.clone();
    if let Value::Object(members) = &mut body {
        let owner = match thing.kind {
            ThingKind::Form => "app_id",
            ThingKind::Status | ThingKind::Contact => "space_id",
        };
        members.insert(thing.kind.id_name().to_owned(), id.into());
        members.insert(owner.to_owned(), thing.owner.into());
    }
    body
}

fn route_tag(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    let item_id = match (&request.method, rest) {
        (_, ["item", item_id]) => input::id(item_id)?,
        (&Method::GET, [kind @ ("app" | "space"), id]) => {
            let id = input::id(id)?;
            let of_app = *kind == "app";
            if of_app {
                caller.may_reach_app(id)?;
            } else {
                caller.must_be_user()?;
            }
            let in_space = |item: &&Item| {
                world
                    .apps
                    .get(&item.app_id)
                    .is_some_and(|app| app.space_id == id)
            };
            let in_place = |item: &&Item| {
                if of_app {
                    item.app_id == id
                } else {
                    in_space(item)
                }
            };
            return count(request, world.items.values().filter(in_place));
        }
        _ => return Err(Refused::no_route()),
    };
    let item = caller.item(world, item_id)?;
    let switches = input::switches(request);
    match request.method {
        Method::GET => return Ok(Answer::json(json!(item.tags))),
        Method::POST => {
            world.add_tags(item_id, input::texts(&request.json()?)?, switches)?;
        }
        // The tags afterwards: what is missing goes, what is new comes.
        Method::PUT => {
            let (wanted, had) = (input::texts(&request.json()?)?, item.tags.clone());
            for tag in had.iter().filter(|tag| !wanted.contains(tag)) {
                world.delete_tag(item_id, tag.clone(), switches)?;
            }
            let new = wanted
                .into_iter()
                .filter(|tag| !had.contains(tag))
                .collect();
            world.add_tags(item_id, new, switches)?;
        }
        Method::DELETE => {
            let tag = request.query("text").unwrap_or_default().to_owned();
            world.delete_tag(item_id, tag, switches)?;
        }
        _ => return Err(Refused::no_route()),
    }
    Ok(Answer::empty())
}

/// The tags of items, with how many have each.
fn count<'w>(request: &Request, items: impl Iterator<Item = &'w Item>) -> Result<Answer, Refused> {
    input::only(request, &["limit", "text"])?;
    let text = request.query("text").unwrap_or_default();
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for tag in items
        .flat_map(|item| &item.tags)
        .filter(|tag| tag.contains(text))
    {
        *counts.entry(tag).or_default() += 1;
    }
    let counts = counts.into_iter();
    input::page(
        request,
        counts.map(|(text, count)| json!({ "text": text, "count": count })),
    )
}
