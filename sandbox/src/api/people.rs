//! Implements users and their profiles, the organization, spaces and their members.

use http::Method;
use podtap_podio::EventType;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::seed::SeedUser;
use crate::world::{ORG, StoredSpace, TokenIdentity, World, show_space};

/// Offset between a user's id and the id of the user's profile, so that they differ.
const PROFILES: u64 = 200_000_000;

pub(super) fn route_user(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let TokenIdentity::User(user_id) = caller.identity else {
        return Err(ErrorAnswer::forbidden("Only users may use this operation"));
    };
    let user = world
        .people
        .user(user_id)
        .ok_or_else(ErrorAnswer::not_found)?;
    match (&request.method, rest) {
        (&Method::GET, []) => Ok(ApiAnswer::json(show_user(user))),
        (&Method::GET, ["status"]) => Ok(ApiAnswer::json(json!({
            "user": show_user(user),
            "profile": show_profile(user),
            "properties": {},
            "inbox_new": 0,
            "calendar_code": "sandbox-calendar-code",
            "mailbox": "sandbox-mailbox",
        }))),
        (&Method::GET, ["profile"]) => Ok(ApiAnswer::json(show_profile(user))),
        (&Method::GET, ["profile", field]) => {
            let profile = show_profile(user);
            let value = profile.get(*field).ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(value.clone()))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

pub(super) fn route_org(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::GET, []) => input::page(request, std::iter::once(show_org(world))),
        (&Method::GET, [org]) => must_be_ours(org).map(|()| ApiAnswer::json(show_org(world))),
        (&Method::GET, [org, "space" | "all_spaces"]) => {
            must_be_ours(org)?;
            input::page(request, world.spaces.values().map(show_space))
        }
        (&Method::GET, [org, "member"]) => {
            must_be_ours(org)?;
            input::page(request, world.people.users().iter().map(show_member))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

pub(super) fn route_space(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::GET, ["url"]) => {
            let url = request.query("url").unwrap_or_default();
            let label = url.trim_end_matches('/').rsplit('/').next();
            let spaces = world.spaces.values();
            let mut spaces =
                spaces.filter(|space| Some(space.name.to_lowercase().as_str()) == label);
            let space = spaces.next().ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(show_space(space)))
        }
        (&Method::GET, ["top"]) => input::page(request, world.spaces.values().map(show_space)),
        (&Method::GET, ["org", org]) => route_org(world, caller, request, &[org, "space"]),
        (&Method::GET, [space_id]) => Ok(ApiAnswer::json(show_space(space(world, space_id)?))),
        (&Method::POST, []) => {
            let body = request.json()?;
            let name = input::text(&body, "name")?.to_owned();
            if input::number(&body, "org_id")? != ORG {
                return Err(ErrorAnswer::not_found());
            }
            let space = world.create_space(name, user_id(caller));
            Ok(ApiAnswer::json(
                json!({ "space_id": space.id, "url": space.url() }),
            ))
        }
        (&Method::PUT, [space_id]) => {
            let name = input::optional_text(&request.json()?, "name")?;
            let space = world.spaces.get_mut(&input::id(space_id)?);
            let space = space.ok_or_else(ErrorAnswer::not_found)?;
            space.name = name.unwrap_or_else(|| space.name.clone());
            Ok(ApiAnswer::empty())
        }
        (&Method::GET, [space_id, "member"] | [space_id, "member", "v2"]) => {
            input::refuse_unknown(request, &["limit", "offset"])?;
            let members = &space(world, space_id)?.members;
            let users = world.people.users().iter();
            let users = users.filter(|user| members.contains(&user.user_id));
            input::page(request, users.map(show_member))
        }
        (&Method::GET, [space_id, "member", user_id]) => {
            let user_id = input::id(user_id)?;
            let member = space(world, space_id)?.members.contains(&user_id);
            let user = world.people.user(user_id).filter(|_| member);
            Ok(ApiAnswer::json(show_member(
                user.ok_or_else(ErrorAnswer::not_found)?,
            )))
        }
        (&Method::POST, [space_id, "member"]) => {
            let space_id = input::id(space_id)?;
            for user_id in input::ids(&request.json()?, "users")? {
                world.change_member(EventType::MemberAdd, space_id, user_id)?;
            }
            Ok(ApiAnswer::empty())
        }
        (&Method::DELETE, [space_id, "member", user_ids]) => {
            let space_id = input::id(space_id)?;
            for user_id in user_ids.split(',') {
                world.change_member(EventType::MemberRemove, space_id, input::id(user_id)?)?;
            }
            Ok(ApiAnswer::empty())
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Checks that the id is that of the only organization.
pub(super) fn must_be_ours(org: &str) -> Result<(), ErrorAnswer> {
    match input::id(org)? {
        ORG => Ok(()),
        _ => Err(ErrorAnswer::not_found()),
    }
}

/// Returns the profiles of all users, which are contacts too.
pub(super) fn profiles(world: &World) -> impl Iterator<Item = Value> {
    world.people.users().iter().map(show_profile)
}

fn user_id(caller: &Caller) -> Option<u64> {
    match caller.identity {
        TokenIdentity::User(user_id) => Some(user_id),
        TokenIdentity::App(_) => None,
    }
}

fn space<'w>(world: &'w World, id: &str) -> Result<&'w StoredSpace, ErrorAnswer> {
    let space = world.spaces.get(&input::id(id)?);
    space.ok_or_else(ErrorAnswer::not_found)
}

fn show_user(user: &SeedUser) -> Value {
    json!({
        "user_id": user.user_id,
        "mail": user.mail,
        "mails": [{ "mail": user.mail, "primary": true, "verified": true, "disabled": false }],
        "status": "active",
        "locale": "en_GB",
        "timezone": "UTC",
        "type": "user",
        "flags": [],
    })
}

pub(super) fn profile_id(user: &SeedUser) -> u64 {
    PROFILES.saturating_add(user.user_id)
}

pub(super) fn show_profile(user: &SeedUser) -> Value {
    json!({
        "profile_id": profile_id(user),
        "user_id": user.user_id,
        "name": user.name,
        "mail": [user.mail],
        "type": "user",
        "link": format!("https://podio.com/users/{}", user.user_id),
        "rights": ["view"],
        "avatar": null,
        "image": null,
        "last_seen_on": null,
    })
}

fn show_member(user: &SeedUser) -> Value {
    json!({
        "profile": show_profile(user),
        "user": show_user(user),
        "role": "regular",
        "employee": true,
        "ended_on": null,
    })
}

fn show_org(world: &World) -> Value {
    let spaces: Vec<_> = world.spaces.values().map(show_space).collect();
    json!({
        "org_id": ORG,
        "name": "Sandbox",
        "url": "https://podio.com/sandbox",
        "url_label": "sandbox",
        "role": "admin",
        "status": "active",
        "type": "sponsored",
        "rights": ["view", "add_space"],
        "spaces": spaces,
    })
}
