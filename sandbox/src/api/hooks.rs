//! Implements the operations on hooks (podio.md 2), with the errors of its table.

use http::Method;
use podtap_podio::{EventType, RefType};
use serde_json::json;
use url::Url;

use super::access::{self, Caller};
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{NewHook, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::POST, [ref_type, ref_id]) => create(world, caller, request, ref_type, ref_id),
        (&Method::GET, [ref_type, ref_id]) => list(world, caller, ref_type, ref_id),
        (&Method::DELETE, [hook_id]) => delete(world, caller, hook_id),
        (&Method::POST, [hook_id, "verify", "request"]) => {
            let hook_id = input::id(hook_id)?;
            let hook = world
                .hooks
                .get(&hook_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            caller.may_hook(world, hook.ref_type, hook.ref_id)?;
            world.request_verification(hook_id)?;
            Ok(ApiAnswer::empty())
        }
        (&Method::POST, [hook_id, "verify", "validate"]) => validate(world, hook_id, request),
        _ => Err(ErrorAnswer::no_route()),
    }
}

pub(super) fn validate(
    world: &mut World,
    hook_id: &str,
    request: &ApiRequest,
) -> Result<ApiAnswer, ErrorAnswer> {
    let body = request.json()?;
    world.validate_hook(input::id(hook_id)?, input::text(&body, "code")?)?;
    Ok(ApiAnswer::empty())
}

fn create(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    ref_type: &str,
    ref_id: &str,
) -> Result<ApiAnswer, ErrorAnswer> {
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
    Ok(ApiAnswer::json(json!({ "hook_id": hook_id })))
}

fn list(
    world: &World,
    caller: &Caller,
    ref_type: &str,
    ref_id: &str,
) -> Result<ApiAnswer, ErrorAnswer> {
    let (ref_type, ref_id) = reference(ref_type, ref_id)?;
    caller.may_hook(world, ref_type, ref_id)?;
    let hooks = world.hooks.values();
    let hooks = hooks.filter(|hook| (hook.ref_type, hook.ref_id) == (ref_type, ref_id));
    Ok(ApiAnswer::json(
        hooks.map(|hook| world.show_hook(hook)).collect(),
    ))
}

/// Deletes a hook. An app's token cannot delete a hook that a person created (podio.md 2).
fn delete(world: &mut World, caller: &Caller, hook_id: &str) -> Result<ApiAnswer, ErrorAnswer> {
    let hook_id = input::id(hook_id)?;
    let hook = world
        .hooks
        .get(&hook_id)
        .ok_or_else(ErrorAnswer::not_found)?;
    caller.may_hook(world, hook.ref_type, hook.ref_id)?;
    if caller.is_app() && hook.author.by.kind == "user" {
        return Err(ErrorAnswer::forbidden("The hook was created by a user"));
    }
    world.hooks.remove(&hook_id);
    Ok(ApiAnswer::empty())
}

fn reference(ref_type: &str, ref_id: &str) -> Result<(RefType, u64), ErrorAnswer> {
    let ref_type = ref_type
        .parse()
        .map_err(|_| ErrorAnswer::invalid(format!("Invalid reference {ref_type}")))?;
    Ok((ref_type, input::id(ref_id)?))
}

fn event(world: &World, ref_type: RefType, name: &str) -> Result<EventType, ErrorAnswer> {
    let allowed = |event: &EventType| access::takes(world, ref_type, *event);
    name.parse().ok().filter(allowed).ok_or_else(|| {
        let names: Vec<_> = EventType::on(ref_type)
            .filter(allowed)
            .map(EventType::as_str)
            .collect();
        ErrorAnswer::invalid(format!(
            "Invalid value '{name}' (string): must be one of {{{}}}",
            names.join(", ")
        ))
    })
}

/// Checks a URL. Podio calls ports 80 and 443 only; its error for other ports is unknown.
fn check_url(world: &World, text: &str) -> Result<(), ErrorAnswer> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| {
        ErrorAnswer::invalid(format!("Invalid value '{text}' (string): must be a URL"))
    })?;
    let port = url.port_or_known_default();
    if world.config.enforce_ports && !matches!(port, Some(80 | 443)) {
        return Err(ErrorAnswer::invalid("The URL must use port 80 or 443"));
    }
    Ok(())
}
