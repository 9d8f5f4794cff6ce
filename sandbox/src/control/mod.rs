//! What is asked of the sandbox beside Podio's API, below `/-/`: make something happen, let no
//! webhook out. For `podtap sandbox do`, tests and scripts; needs no token.

mod act;
mod values;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use super::world::World;

pub(super) use act::act;

/// Something to make happen: `POST /-/do`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxCommand {
    /// Podio's event type, such as `item.update`.
    pub event: String,
    /// What it happens to; something that exists where it is left out.
    #[serde(default)]
    pub object: Option<u64>,
    /// Names and values, as people type them: of an item its fields, else what the object has.
    #[serde(default)]
    pub values: Vec<(String, String)>,
}

/// What came of a [`SandboxCommand`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// The event type.
    pub event: String,
    /// What it happened to.
    pub object: u64,
    /// The webhooks that it caused: as many as there are active hooks for it.
    pub webhooks: usize,
}

pub(super) fn answer(
    world: &mut World,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::POST, ["do"]) => {
            let command = serde_json::from_value::<SandboxCommand>(request.json()?);
            let command = command.map_err(|error| ErrorAnswer::invalid(error.to_string()))?;
            let before = world.queued_webhooks();
            let object = act(world, &command)?;
            let done = CommandResult {
                event: command.event,
                object,
                webhooks: world.queued_webhooks().saturating_sub(before),
            };
            Ok(ApiAnswer::json(json!(done)))
        }
        (&Method::PUT, ["outage"]) => match request.json()?.get("on") {
            Some(Value::Bool(on)) => {
                world.outage = *on;
                Ok(ApiAnswer::empty())
            }
            other => Err(ErrorAnswer::wrong_type(
                other.unwrap_or(&Value::Null),
                "boolean",
            )),
        },
        _ => Err(ErrorAnswer::no_route()),
    }
}
