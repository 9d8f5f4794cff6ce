//! Implements contacts: those of spaces, which have no account, and the profiles of users.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::{input, people};
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{ORG, RecordKind, TokenIdentity, World};

const KIND: RecordKind = RecordKind::Contact;

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    caller.must_be_user()?;
    let our_org = ORG.to_string();
    let rest = match rest.strip_suffix(&["v2"]).unwrap_or(rest) {
        [] => &["org", our_org.as_str()],
        rest => rest,
    };
    match (&request.method, rest) {
        (&Method::GET, ["org", org]) => {
            people::must_be_ours(org)?;
            let all = users(world, caller, request).chain(of_spaces(world, |_| true));
            list(request, all)
        }
        (&Method::GET, ["space", space_id]) => {
            let space_id = input::id(space_id)?;
            let space = world
                .spaces
                .get(&space_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            let members = users(world, caller, request).filter(|profile| {
                let user_id = profile.get("user_id").and_then(Value::as_u64);
                user_id.is_some_and(|id| space.members.contains(&id))
            });
            list(
                request,
                members.chain(of_spaces(world, |id| id == space_id)),
            )
        }
        (&Method::GET, ["user", user_id]) => {
            let user = world.people.user(input::id(user_id)?);
            let user = user.ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(people::show_profile(user)))
        }
        (&Method::GET, ["user", user_id, key]) => {
            let user = world.people.user(input::id(user_id)?);
            let profile = people::show_profile(user.ok_or_else(ErrorAnswer::not_found)?);
            let value = profile.get(*key).ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(value.clone()))
        }
        (&Method::POST, ["space", space_id]) => {
            let body = request.json()?;
            let id = world.create_record(KIND, input::id(space_id)?, body, &caller.author)?;
            Ok(ApiAnswer::json(json!({ KIND.id_name(): id })))
        }
        (&Method::GET, [id]) => {
            let id = input::id(id)?;
            let profile = people::profiles(world)
                .find(|profile| profile.get("profile_id").and_then(Value::as_u64) == Some(id));
            let shown = match profile {
                Some(profile) => profile,
                None => show(world, id)?,
            };
            Ok(ApiAnswer::json(shown))
        }
        (&Method::PUT, [id]) => {
            world.update_record(KIND, input::id(id)?, request.json()?)?;
            Ok(ApiAnswer::empty())
        }
        (&Method::DELETE, [id]) => {
            world.delete_record(KIND, input::id(id)?)?;
            Ok(ApiAnswer::empty())
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Returns the profiles of users, without the caller's own if the query asks for that.
fn users<'w>(
    world: &'w World,
    caller: &Caller,
    request: &ApiRequest,
) -> impl Iterator<Item = Value> + use<'w> {
    let without_caller = matches!(request.query("exclude_self"), Some("true" | "1"));
    let own = match caller.identity {
        TokenIdentity::User(user_id) if without_caller => Some(user_id),
        _ => None,
    };
    people::profiles(world).filter(move |profile| {
        own.is_none() || profile.get("user_id").and_then(Value::as_u64) != own
    })
}

fn of_spaces(world: &World, suits: impl Fn(u64) -> bool) -> impl Iterator<Item = Value> {
    let contacts = world.records.iter();
    let contacts = contacts.filter(move |(_, r)| r.kind == KIND && suits(r.owner));
    contacts.filter_map(|(&id, _)| show(world, id).ok())
}

fn list(
    request: &ApiRequest,
    contacts: impl Iterator<Item = Value>,
) -> Result<ApiAnswer, ErrorAnswer> {
    let known = [
        "limit",
        "offset",
        "name",
        "exclude_self",
        "contact_type",
        "type",
        "order",
    ];
    input::refuse_unknown(request, &known)?;
    let name = request.query("name").unwrap_or_default().to_lowercase();
    let kind = request.query("contact_type");
    let contacts = contacts.filter(|contact| {
        let text = |member: &str| contact.get(member).and_then(Value::as_str);
        let is_named = text("name")
            .unwrap_or_default()
            .to_lowercase()
            .contains(&name);
        is_named && kind.is_none_or(|kind| kind.split(',').any(|kind| text("type") == Some(kind)))
    });
    let mut contacts: Vec<_> = contacts.collect();
    if request.query("order").is_some_and(|order| order == "name") {
        contacts.sort_by_key(|contact| contact.get("name").map(Value::to_string));
    }
    input::page(request, contacts.into_iter())
}

fn show(world: &World, id: u64) -> Result<Value, ErrorAnswer> {
    let record = world.record(KIND, id)?;
    let mut shown = json!({
        "profile_id": id,
        "user_id": null,
        "space_id": record.owner,
        "type": "space",
        "link": format!("https://podio.com/contacts/{id}"),
        "rights": ["view", "update", "delete"],
    });
    if let (Value::Object(shown), Value::Object(members)) = (&mut shown, &record.body) {
        shown.extend(members.clone());
    }
    Ok(shown)
}
