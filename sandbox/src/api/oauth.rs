//! Issues tokens (podio.md 3): with two endpoints, each for one encoding, and a login page
//! that always agrees.

use serde_json::{Value, json};

use super::access::Caller;
use crate::answer::{AnswerBody, ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{TokenIdentity, World};

/// Answers `POST /oauth/token`, which accepts forms. JSON is not parsed, so its members are
/// missing.
pub(super) fn token(world: &mut World, request: &ApiRequest) -> Result<ApiAnswer, ErrorAnswer> {
    let form = if request.is_json() {
        Vec::new()
    } else {
        form_urlencoded::parse(&request.body).into_owned().collect()
    };
    grant(world, |name| {
        let pair = form.iter().find(|(key, _): &&(String, String)| key == name);
        pair.map(|(_, value)| value.clone())
    })
}

/// Answers `POST /oauth/token/v2`, which accepts JSON. A form is not parsed, so there is no object.
pub(super) fn token_v2(world: &mut World, request: &ApiRequest) -> Result<ApiAnswer, ErrorAnswer> {
    if !request.is_json() {
        return Err(ErrorAnswer::invalid(
            "Invalid value null (null): must be object",
        ));
    }
    let body = request.json()?;
    grant(world, |name| match body.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// Answers `GET /oauth/authorize`: instead of showing a page, the first user agrees at once.
pub(super) fn authorize(world: &mut World, request: &ApiRequest) -> Result<ApiAnswer, ErrorAnswer> {
    let query = |name: &str| {
        let missing =
            || ErrorAnswer::new(400, "invalid_request", format!("Missing parameter {name}"));
        request.query(name).ok_or_else(missing)
    };
    let (client_id, redirect_uri) = (query("client_id")?, query("redirect_uri")?);
    if world.people.client(client_id).is_none() {
        return Err(invalid_client());
    }
    let redirect = url::Url::parse(redirect_uri);
    let mut redirect = redirect.map_err(|_| ErrorAnswer::invalid("Invalid redirect_uri"))?;
    let user = world.people.users().first();
    let identity = TokenIdentity::User(user.ok_or_else(ErrorAnswer::not_found)?.user_id);
    let (now, rng) = (world.now, &mut world.rng);
    let code = world
        .people
        .issue_code(identity, client_id, redirect_uri, now, rng);
    redirect.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = request.query("state") {
        redirect.query_pairs_mut().append_pair("state", state);
    }
    Ok(ApiAnswer {
        status: 302,
        body: AnswerBody::Empty,
        headers: vec![("location", redirect.into())],
    })
}

/// Answers `POST /oauth/grant/invalidate`: revokes the caller's tokens.
pub(super) fn invalidate(world: &mut World, caller: &Caller) -> ApiAnswer {
    world.people.revoke(&caller.access_token);
    ApiAnswer::empty()
}

fn grant(
    world: &mut World,
    given: impl Fn(&str) -> Option<String>,
) -> Result<ApiAnswer, ErrorAnswer> {
    let needed = |name: &str, error| {
        let missing = || ErrorAnswer::new(400, error, format!("Missing parameter {name}"));
        given(name).ok_or_else(missing)
    };
    let client_id = needed("client_id", "invalid_client")?;
    let secret = needed("client_secret", "invalid_client")?;
    let client = world.people.client(&client_id);
    if client.is_none_or(|client| client.client_secret != secret) {
        return Err(invalid_client());
    }
    let now = world.now;
    let identity = match needed("grant_type", "invalid_request")?.as_str() {
        "app" => {
            let app_id = needed("app_id", "invalid_grant")?;
            let token = needed("app_token", "invalid_grant")?;
            let app = app_id.parse().ok().and_then(|id| world.apps.get(&id));
            app.filter(|app| app.token == token)
                .map(|app| TokenIdentity::App(app.id))
        }
        "password" => {
            let mail = needed("username", "invalid_grant")?;
            let password = needed("password", "invalid_grant")?;
            world.people.by_password(&mail, &password)
        }
        "authorization_code" => {
            let code = needed("code", "invalid_grant")?;
            let redirect = needed("redirect_uri", "invalid_grant")?;
            world.people.exchange(&code, &client_id, &redirect, now)
        }
        "refresh_token" => {
            let token = needed("refresh_token", "invalid_grant")?;
            world.people.redeem(&token, &client_id, now)
        }
        other => {
            let description = format!("Invalid grant type {other}");
            return Err(ErrorAnswer::new(400, "unsupported_grant_type", description));
        }
    };
    let identity = identity
        .ok_or_else(|| ErrorAnswer::new(400, "invalid_grant", "The given grant is not valid"))?;
    Ok(issue_tokens(world, identity, &client_id))
}

fn issue_tokens(world: &mut World, identity: TokenIdentity, client_id: &str) -> ApiAnswer {
    let (now, lifetime) = (world.now, world.config.token_lifetime);
    let tokens = world
        .people
        .issue_tokens(identity, client_id, lifetime, now, &mut world.rng);
    let (kind, id) = match identity {
        TokenIdentity::User(id) => ("user", id),
        TokenIdentity::App(id) => ("app", id),
    };
    ApiAnswer::json(json!({
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": lifetime.as_secs(),
        "refresh_token": tokens.refresh_token,
        "scope": "global:all",
        "ref": { "type": kind, "id": id },
    }))
}

fn invalid_client() -> ErrorAnswer {
    ErrorAnswer::new(
        400,
        "invalid_client",
        "you've supplied an invalid client id",
    )
}
