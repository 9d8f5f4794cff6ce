//! Implements streams: recent changes of objects of all kinds, and one object in short form.

use http::Method;

use super::access::{self, Caller};
use super::{input, people};
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, ORG, Summary, World};

pub(super) fn route(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    if request.method != Method::GET {
        return Err(ErrorAnswer::no_route());
    }
    // Later versions of the lists differ in the last part of the path.
    let our_org = ORG.to_string();
    let rest = match rest.strip_suffix(&["v2"]).unwrap_or(rest) {
        [] | ["personal"] => &["org", our_org.as_str()],
        rest => rest,
    };
    match rest {
        ["app", app_id] => {
            let app_id = caller.app(world, input::id(app_id)?)?.id;
            list(world, request, |summary| summary.app(world) == Some(app_id))
        }
        ["space", space_id] => {
            caller.must_be_user()?;
            let space_id = input::id(space_id)?;
            list(world, request, |summary| {
                summary.space(world) == Some(space_id)
            })
        }
        ["org", org] => {
            caller.must_be_user()?;
            people::must_be_ours(org)?;
            list(world, request, |_| true)
        }
        ["user", user_id] => {
            caller.must_be_user()?;
            let user_id = input::id(user_id)?;
            list(world, request, |summary| {
                summary.author.by.kind == "user" && summary.author.by.id == user_id
            })
        }
        [kind, id] => {
            let summary = one(world, caller, kind, id)?;
            Ok(ApiAnswer::json(summary.show_in_stream(world)))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Answers `GET /reference/{type}/{id}`: how other objects refer to an object.
pub(super) fn reference(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::GET, [kind, id]) => {
            let summary = one(world, caller, kind, id)?;
            Ok(ApiAnswer::json(summary.show(world).into()))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn one(world: &World, caller: &Caller, kind: &str, id: &str) -> Result<Summary, ErrorAnswer> {
    let on = Attachment::new(kind, input::id(id)?)?;
    access::reach(world, caller, on)?;
    world.summary(on).ok_or_else(ErrorAnswer::not_found)
}

fn list(
    world: &World,
    request: &ApiRequest,
    suits: impl Fn(&Summary) -> bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["limit", "offset"])?;
    let summaries = world.summaries();
    // Streams contain apps and files as actions, which the sandbox does not store.
    let in_streams = |on| !matches!(on, Attachment::App(_) | Attachment::File(_));
    let found = summaries
        .iter()
        .filter(|summary| in_streams(summary.on) && suits(summary));
    input::page(request, found.map(|summary| summary.show_in_stream(world)))
}
