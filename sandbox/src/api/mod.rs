//! The API: one request in, one answer out, the world changed in between. No I/O.
//!
//! What is open to everybody comes first, then who calls and how often, then the operations, a
//! file a subject. An unknown path gets Podio's own sentence for it.

mod access;
mod apps;
mod attached;
mod hooks;
mod input;
mod items;
mod oauth;
mod things;

use http::Method;
use serde_json::{Value, json};

use super::answer::{Answer, Refused, Request};
use super::rate::Class;
use super::world::{Identity, World};
use access::Caller;

/// Answers a request made at the world's present time.
pub(super) fn answer(world: &mut World, request: &Request) -> Answer {
    dispatch(world, request).unwrap_or_else(|refused| refused.into_answer(request))
}

fn dispatch(world: &mut World, request: &Request) -> Result<Answer, Refused> {
    let segments = request.segments();
    match (&request.method, segments.as_slice()) {
        (&Method::POST, ["oauth", "token"]) => oauth::token(world, request),
        (&Method::POST, ["oauth", "token", "v2"]) => oauth::token_v2(world, request),
        (&Method::GET, ["oauth", "authorize"]) => oauth::authorize(world, request),
        (&Method::POST, ["hook", hook_id, "verify", "validate"])
            if !world.config.validate_requires_auth =>
        {
            hooks::validate(world, hook_id, request)
        }
        _ => counted(world, request, &segments),
    }
}

/// The operations that need a token, which are counted against its rate limits.
fn counted(world: &mut World, request: &Request, segments: &[&str]) -> Result<Answer, Refused> {
    let caller = access::authenticate(world, request)?;
    let class = match segments {
        ["item", "app", _, "filter", ..] => Class::Limited,
        _ => Class::General,
    };
    let count = world.rates.count(&caller.rate_key(), class, world.now);
    let ended = match count.wait {
        Some(wait) => Err(Refused::new(
            420,
            "rate_limit",
            format!(
                "You have hit the rate limit. Please wait {} seconds before trying again",
                wait.as_secs()
            ),
        )),
        None => operate(world, &caller, request, segments),
    };
    let answer = ended.unwrap_or_else(|refused| refused.into_answer(request));
    Ok(answer.with_rate(count.limit))
}

fn operate(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    segments: &[&str],
) -> Result<Answer, Refused> {
    match segments {
        ["oauth", "scope"] => Ok(Answer::json(scope(caller))),
        ["oauth", "grant", "invalidate"] => Ok(oauth::invalidate(world, caller)),
        ["user", "status"] => user_status(world, caller),
        ["hook", rest @ ..] => hooks::route(world, caller, request, rest),
        ["item", rest @ ..] => items::route(world, caller, request, rest),
        ["app", rest @ ..] => apps::route_app(world, caller, request, rest),
        ["space", rest @ ..] => apps::route_space(world, caller, request, rest),
        ["comment", rest @ ..] => attached::route_comment(world, caller, request, rest),
        ["task", rest @ ..] => attached::route_task(world, caller, request, rest),
        ["file", rest @ ..] => attached::route_file(world, caller, request, rest),
        ["form" | "status" | "contact" | "tag", ..] => {
            things::route(world, caller, request, segments)
        }
        _ => Err(Refused::no_route()),
    }
}

fn scope(caller: &Caller) -> Value {
    match caller.identity {
        Identity::App(app_id) => json!([{
            "ref_type": "app", "ref_id": app_id, "permissions": ["all"], "ref_data": null,
        }]),
        Identity::User(_) => json!([{
            "ref_type": null, "ref_id": null, "permissions": ["all"], "ref_data": null,
        }]),
    }
}

fn user_status(world: &World, caller: &Caller) -> Result<Answer, Refused> {
    let Identity::User(user_id) = caller.identity else {
        return Err(Refused::forbidden("Only users have a status"));
    };
    let user = world.people.user(user_id).ok_or_else(Refused::not_found)?;
    Ok(Answer::json(json!({
        "user": { "user_id": user_id, "mail": user.mail, "status": "active" },
        "profile": { "user_id": user_id, "name": user.name },
        "calendar_code": "sandbox-calendar-code",
        "mailbox": "sandbox-mailbox",
    })))
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
    use crate::config::Config;
    use crate::rate::Rates;

    /// Words of paths, with ids that exist in the example seed.
    const WORDS: &str = "hook|item|app|app_field|space|comment|task|file|form|status|contact|tag|\
        oauth|token|v2|authorize|scope|user|verify|validate|request|revision|value|filter|attach|\
        replace|complete|member|field|clone|basic|30682880|9204815|3276908608|271000000|24360216|\
        0|1|18446744073709551616|x";
    /// Bodies that fit somewhere, and some that fit nowhere.
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
    ];

    fn ask(world: &mut World, method: Method, path: &str, body: &str, token: &str) -> Answer {
        let mut headers = HeaderMap::new();
        let token = HeaderValue::try_from(format!("OAuth2 {token}")).unwrap();
        headers.insert("authorization", token);
        let uri: Uri = path.parse().unwrap();
        let body = Bytes::copy_from_slice(body.as_bytes());
        answer(world, &Request::new(method, &uri, headers, body))
    }

    fn world() -> (World, String) {
        let rates = Rates {
            general: u64::MAX,
            ..Rates::default()
        };
        let config = Config {
            rates,
            ..Config::default()
        };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut world = World::new(Arc::new(config), now);
        let lifetime = Duration::from_hours(8);
        let user = Identity::User(8_123_456);
        let (people, rng) = (&mut world.people, &mut world.rng);
        let token = people
            .admit(user, "podtap", lifetime, now, rng)
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
                prop_assert!((200..500).contains(&answer.status), "{path}: {answer:?}");
            }
        }
    }
}
