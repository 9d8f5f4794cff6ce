//! Hook operations (podio.md 2), with the errors of its table.

use http::Method;
use podtap_podio::{EventType, RefType};
use serde_json::json;
use url::Url;

use super::access::{self, Caller};
use super::input;
use crate::answer::{Answer, Refused, Request};
use crate::world::{NewHook, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    match (&request.method, rest) {
        (&Method::POST, [ref_type, ref_id]) => create(world, caller, request, ref_type, ref_id),
        (&Method::GET, [ref_type, ref_id]) => list(world, caller, ref_type, ref_id),
        (&Method::DELETE, [hook_id]) => delete(world, caller, hook_id),
        (&Method::POST, [hook_id, "verify", "request"]) => {
            let hook_id = input::id(hook_id)?;
            let hook = world.hooks.get(&hook_id).ok_or_else(Refused::not_found)?;
            caller.may_hook(world, hook.ref_type, hook.ref_id)?;
            world.request_verification(hook_id)?;
            Ok(Answer::empty())
        }
        (&Method::POST, [hook_id, "verify", "validate"]) => validate(world, hook_id, request),
        _ => Err(Refused::no_route()),
    }
}

pub(super) fn validate(
    world: &mut World,
    hook_id: &str,
    request: &Request,
) -> Result<Answer, Refused> {
    let body = request.json()?;
    world.validate_hook(input::id(hook_id)?, input::text(&body, "code")?)?;
    Ok(Answer::empty())
}

fn create(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    ref_type: &str,
    ref_id: &str,
) -> Result<Answer, Refused> {
    let (ref_type, ref_id) = reference(ref_type, ref_id)?;
    caller.may_hook(world, ref_type, ref_id)?;
    let body = request.json()?;
    let url = input::text(&body, "url")?;
    check_url(world, url)?;
    let event = event(world, ref_type, input::text(&body, "type")?)?;
    let new = NewHook {
        ref_type,
        ref_id,
        event,
        url: url.to_owned(),
    };
    let hook_id = world.create_hook(new, &caller.author)?;
    Ok(Answer::json(json!({ "hook_id": hook_id })))
}

fn list(world: &World, caller: &Caller, ref_type: &str, ref_id: &str) -> Result<Answer, Refused> {
    let (ref_type, ref_id) = reference(ref_type, ref_id)?;
    caller.may_hook(world, ref_type, ref_id)?;
    let hooks = world.hooks.values();
    let hooks = hooks.filter(|hook| (hook.ref_type, hook.ref_id) == (ref_type, ref_id));
    Ok(Answer::json(
        hooks.map(|hook| world.show_hook(hook)).collect(),
    ))
}

/// An app's token does not delete what a person made (podio.md 2).
fn delete(world: &mut World, caller: &Caller, hook_id: &str) -> Result<Answer, Refused> {
    let hook_id = input::id(hook_id)?;
    let hook = world.hooks.get(&hook_id).ok_or_else(Refused::not_found)?;
    caller.may_hook(world, hook.ref_type, hook.ref_id)?;
    if caller.is_app() && hook.author.by.kind == "user" {
        return Err(Refused::forbidden("The hook was created by a user"));
    }
    world.hooks.remove(&hook_id);
    Ok(Answer::empty())
}

fn reference(ref_type: &str, ref_id: &str) -> Result<(RefType, u64), Refused> {
    let ref_type = ref_type
        .parse()
        .map_err(|_| Refused::invalid(format!("Invalid reference {ref_type}")))?;
    Ok((ref_type, input::id(ref_id)?))
}

fn event(world: &World, ref_type: RefType, name: &str) -> Result<EventType, Refused> {
    let allowed = |event: &EventType| access::takes(world, ref_type, *event);
    name.parse().ok().filter(allowed).ok_or_else(|| {
        let names: Vec<_> = EventType::on(ref_type)
            .filter(allowed)
            .map(EventType::as_str)
            .collect();
        Refused::invalid(format!(
            "Invalid value '{name}' (string): must be one of {{{}}}",
            names.join(", ")
        ))
    })
}

/// Podio calls ports 80 and 443 only; what it says to others is unknown.
fn check_url(world: &World, text: &str) -> Result<(), Refused> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| {
        Refused::invalid(format!("Invalid value '{text}' (string): must be a URL"))
    })?;
    let port = url.port_or_known_default();
    if world.config.enforce_ports && !matches!(port, Some(80 | 443)) {
        return Err(Refused::invalid("The URL must use port 80 or 443"));
    }
    Ok(())
}
