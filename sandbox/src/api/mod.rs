//! Answers requests of the API and changes the world accordingly. No I/O.
//!
//! Operations without a token come first, then the caller and the rate limits are checked, then
//! the operations follow, one file per subject. An unknown path gets Podio's own error text.

mod access;
mod apps;
mod calendar;
mod comments;
mod contacts;
mod files;
mod filter;
mod hooks;
mod input;
mod items;
mod list;
mod oauth;
mod people;
mod records;
mod references;
mod search;
mod stream;
mod tags;
mod task_lists;
mod tasks;
mod views;

use http::Method;
use serde_json::{Value, json};

use super::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use super::control;
use super::rate::RateClass;
use super::world::{TokenIdentity, World};
use access::Caller;

/// Areas of Podio's reference. An operation of these areas that is not implemented is
/// reported as missing in the sandbox; other paths do not exist at Podio either.
const AREAS: &[&str] = &[
    "action",
    "alert",
    "app",
    "app_store",
    "batch",
    "calendar",
    "comment",
    "contact",
    "conversation",
    "email",
    "embed",
    "experiment",
    "file",
    "flow",
    "form",
    "friend",
    "grant",
    "hook",
    "importer",
    "integration",
    "item",
    "layout",
    "linked_account",
    "mfa",
    "notification",
    "oauth",
    "org",
    "rating",
    "recurrence",
    "reference",
    "reminder",
    "search",
    "share",
    "space",
    "status",
    "stream",
    "subscription",
    "tag",
    "task",
    "user",
    "view",
    "voting",
    "widget",
];

/// Answers a request made at the world's present time.
pub(super) fn answer(world: &mut World, request: &ApiRequest) -> ApiAnswer {
    dispatch(world, request).unwrap_or_else(|refused| refused.into_answer(request))
}

/// Distinguishes an operation that only the sandbox lacks from a path that Podio does not
/// have either.
fn missing(request: &ApiRequest, refused: ErrorAnswer) -> ErrorAnswer {
    let segments = request.segments();
    let is_podios = segments.first().is_some_and(|area| AREAS.contains(area));
    if refused != ErrorAnswer::no_route() || !is_podios {
        return refused;
    }
    let named = segments.iter().map(|segment| match segment.parse::<u64>() {
        Ok(_) => "{id}",
        Err(_) => segment,
    });
    let named: Vec<_> = named.collect();
    ErrorAnswer::not_here(&format!("`{} /{}`", request.method, named.join("/")))
}

fn dispatch(world: &mut World, request: &ApiRequest) -> Result<ApiAnswer, ErrorAnswer> {
    let segments = request.segments();
    match (&request.method, segments.as_slice()) {
        (_, ["-", rest @ ..]) => control::answer(world, request, rest),
        (&Method::POST, ["oauth", "token"]) => oauth::token(world, request),
        (&Method::POST, ["oauth", "token", "v2"]) => oauth::token_v2(world, request),
        (&Method::GET, ["oauth", "authorize"]) => oauth::authorize(world, request),
        (&Method::POST, ["hook", hook_id, "verify", "validate"])
            if !world.config.validate_requires_auth =>
        {
            hooks::validate(world, hook_id, request)
        }
        _ => answer_counted(world, request, &segments),
    }
}

/// Runs the operations that need a token and count against its rate limits.
fn answer_counted(
    world: &mut World,
    request: &ApiRequest,
    segments: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let caller = access::authenticate(world, request)?;
    let class = match segments {
        ["item", "app", _, "filter", ..] => RateClass::Limited,
        _ => RateClass::General,
    };
    let count = world.rates.count(&caller.rate_key(), class, world.now);
    let ended = match count.wait {
        Some(wait) => Err(ErrorAnswer::new(
            420,
            "rate_limit",
            format!(
                "You have hit the rate limit. Please wait {} seconds before trying again",
                wait.as_secs()
            ),
        )),
        None => {
            operate(world, &caller, request, segments).map_err(|refused| missing(request, refused))
        }
    };
    let answer = ended.unwrap_or_else(|refused| refused.into_answer(request));
    Ok(answer.with_rate(count.limit))
}

fn operate(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    segments: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match segments {
        ["oauth", "scope"] => Ok(ApiAnswer::json(scope(caller))),
        ["oauth", "grant", "invalidate"] => Ok(oauth::invalidate(world, caller)),
        ["user", rest @ ..] => people::route_user(world, caller, request, rest),
        ["org", rest @ ..] => people::route_org(world, caller, request, rest),
        ["hook", rest @ ..] => hooks::route(world, caller, request, rest),
        ["item", rest @ ..] => items::route(world, caller, request, rest),
        ["app", rest @ ..] => apps::route_app(world, caller, request, rest),
        ["space", rest @ ..] => people::route_space(world, caller, request, rest),
        ["comment", rest @ ..] => comments::route(world, caller, request, rest),
        ["task", rest @ ..] => tasks::route(world, caller, request, rest),
        ["file", rest @ ..] => files::route(world, caller, request, rest),
        // Everything is done at once here, so there is never a batch to list.
        ["batch"] if request.method == Method::GET => Ok(ApiAnswer::json(json!([]))),
        ["batch", _] if request.method == Method::GET => Err(ErrorAnswer::not_found()),
        ["batch", _, _, _, "running"] if request.method == Method::GET => {
            Ok(ApiAnswer::json(json!([])))
        }
        ["form" | "status", ..] => records::route(world, caller, request, segments),
        ["contact", rest @ ..] => contacts::route(world, caller, request, rest),
        ["tag", rest @ ..] => tags::route(world, caller, request, rest),
        ["view", rest @ ..] => views::route(world, caller, request, rest),
        ["stream", rest @ ..] => stream::route(world, caller, request, rest),
        ["reference", rest @ ..] => stream::reference(world, caller, request, rest),
        ["search", rest @ ..] => search::route(world, caller, request, rest),
        ["calendar", rest @ ..] => calendar::route(world, caller, request, rest),
        ["embed"] if request.method == Method::POST => {
            let url = input::text(&request.json()?, "url")?.to_owned();
            Ok(ApiAnswer::json(world.add_embed(url)))
        }
        ["embed", id] if request.method == Method::GET => {
            let embed = world.embeds.get(&input::id(id)?);
            Ok(ApiAnswer::json(
                embed.ok_or_else(ErrorAnswer::not_found)?.show(),
            ))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn scope(caller: &Caller) -> Value {
    match caller.identity {
        TokenIdentity::App(app_id) => json!([{
            "ref_type": "app", "ref_id": app_id, "permissions": ["all"], "ref_data": null,
        }]),
        TokenIdentity::User(_) => json!([{
            "ref_type": null, "ref_id": null, "permissions": ["all"], "ref_data": null,
        }]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Uri};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::config::SandboxConfig;
    use crate::rate::CallRates;

    /// Words in paths, with ids that exist in the example seed.
    const WORDS: &str = "hook|item|app|app_field|space|comment|task|file|form|status|contact|tag|\
        oauth|token|v2|authorize|scope|user|verify|validate|request|revision|value|filter|attach|\
        replace|complete|member|field|clone|basic|30682880|9204815|3276908608|271000000|24360216|\
        org|profile|raw|activate|count|reference|external_id|batch|\
        label|assign|v2|0|1|18446744073709551616|x";
    /// Bodies, some of which are valid for an operation and some for none.
    const BODIES: &[&str] = &[
        "",
        "{}",
        "[]",
        "[\"urgent\"]",
        "null",
        "{",
        "{\"fields\":{\"title\":\"x\",\"status\":9}}",
        "{\"fields\":[{\"field_id\":271000000,\"values\":[null]}],\"file_ids\":[1]}",
        "{\"url\":\"http://127.0.0.1/\",\"type\":\"item.create\"}",
        "{\"code\":\"abc\",\"value\":\"x\",\"text\":\"y\",\"ref_type\":\"item\",\"ref_id\":3276908608}",
        "{\"limit\":18446744073709551615,\"offset\":18446744073709551615}",
        "{\"name\":\"x\",\"query\":\"x\",\"filters\":{\"created_on\":{\"from\":\"-1mr\"}},\"remember\":true}",
        "{\"url\":\"x\",\"org_id\":247026,\"text\":\"y\",\"responsible\":[1,8123456]}",
    ];

    fn ask(world: &mut World, method: Method, path: &str, body: &str, token: &str) -> ApiAnswer {
        let mut headers = HeaderMap::new();
        let token = HeaderValue::try_from(format!("OAuth2 {token}")).unwrap();
        headers.insert("authorization", token);
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let uri: Uri = path.parse().unwrap();
        let body = Bytes::copy_from_slice(body.as_bytes());
        answer(world, &ApiRequest::new(method, &uri, headers, body))
    }

    fn world() -> (World, String) {
        let rates = CallRates {
            general: u64::MAX,
            ..CallRates::default()
        };
        let config = SandboxConfig {
            rates,
            ..SandboxConfig::default()
        };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut world = World::new(Arc::new(config), String::new(), now);
        let lifetime = Duration::from_hours(8);
        let user = TokenIdentity::User(8_123_456);
        let (people, rng) = (&mut world.people, &mut world.rng);
        let token = people
            .issue_tokens(user, "podtap", lifetime, now, rng)
            .access_token;
        (world, token)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        #[test]
        fn no_series_of_requests_panics_or_answers_outside_of_http(
            requests in proptest::collection::vec(
                (0..4_usize, proptest::collection::vec(WORDS, 0..5), 0..BODIES.len()),
                1..30,
            )
        ) {
            let (mut world, token) = world();
            for (method, words, body) in requests {
                let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
                let method = methods[method].clone();
                let path = format!("/{}", words.join("/"));
                let answer = ask(&mut world, method, &path, BODIES[body], &token);
                prop_assert!((200..=501).contains(&answer.status), "{path}: {answer:?}");
            }
        }
    }
}
