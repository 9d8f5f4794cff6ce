//! Serves commands beside Podio's API, below `/-/`: cause an event, or stop all webhooks.
//! They are for `podtap sandbox do`, tests and scripts, and need no token.

mod act;
mod values;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use super::world::World;

pub(super) use act::act;

/// An event to cause: `POST /-/do`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxCommand {
    /// Podio's event type, such as `item.update`.
    pub event: String,
    /// Object to change; an existing one if it is missing.
    #[serde(default)]
    pub object: Option<u64>,
    /// Names and values as people type them: the fields of an item, or the members of another
    /// object.
    #[serde(default)]
    pub values: Vec<(String, String)>,
}

/// Result of a [`SandboxCommand`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// Type of the event.
    pub event: String,
    /// Object that was changed.
    pub object: u64,
    /// Number of webhooks that it caused: one per active hook for it.
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
