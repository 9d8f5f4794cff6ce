//! JSON lines: one object a line, each with `"v":1` and `"type"`. The schema that scripts rely on
//! (`docs/JSON.md`): fields are added, never renamed or removed, within a version.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use podtap_agent::LinkState;
use podtap_agent::history::{Attempt, AttemptSummary, Event, LoopFinding, Outcome, Verification};
use podtap_wire::{EventId, HeaderList, Seq};
use serde::Serialize;
use serde_json::{Map, Value};

/// The schema's version.
const VERSION: u8 = 1;

/// One object. Written with its version in front.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Object<'a> {
    Ready(Ready<'a>),
    Event(EventObject<'a>),
    Attempt(AttemptObject<'a>),
    Triggered(TriggeredObject<'a>),
    Link {
        state: &'static str,
        reason: Option<&'a str>,
    },
    Verify {
        id: String,
        hook_id: Option<String>,
        ok: bool,
        error: Option<&'a str>,
    },
    Loop(LoopObject<'a>),
    Gap {
        from: Seq,
        to: Seq,
        reason: &'a str,
    },
}

/// What a command that goes on says once it can be used.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Ready<'a> {
    Listen {
        url: &'a str,
        forwards_to: Option<String>,
        tunnel: &'a str,
    },
    Relay {
        listen: String,
        public_url: &'a str,
        admin: Option<String>,
    },
}

/// An event, in streams without and in listings with its attempts.
#[derive(Debug, Serialize)]
pub(crate) struct EventObject<'a> {
    id: String,
    seq: Option<Seq>,
    received_at: String,
    method: &'a str,
    path: &'a str,
    /// Podio's type, such as `item.update`; null where it is no Podio event.
    event: Option<&'a str>,
    /// The decoded form; a repeated parameter is a list.
    params: Map<String, Value>,
    headers: &'a HeaderList,
    #[serde(flatten)]
    body: Body<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<AttemptObject<'a>>>,
}

/// A body as text where it is UTF-8, else as base64, so that no byte is lost.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Body<'a> {
    Body(&'a str),
    BodyBase64(String),
}

/// One attempt.
#[derive(Debug, Serialize)]
pub(crate) struct AttemptObject<'a> {
    id: String,
    attempt: u32,
    replay: bool,
    url: &'a str,
    started_at: String,
    duration_ms: f64,
    #[serde(flatten)]
    outcome: OutcomeField<'a>,
}

/// A request that was made up here.
#[derive(Debug, Serialize)]
pub(crate) struct TriggeredObject<'a> {
    event: Option<&'a str>,
    url: &'a str,
    duration_ms: f64,
    #[serde(flatten)]
    outcome: OutcomeField<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeField<'a> {
    Status(u16),
    Error(&'a str),
}

/// One object fired by the same hook again and again.
#[derive(Debug, Serialize)]
pub(crate) struct LoopObject<'a> {
    /// The event that made it certain.
    id: String,
    hook_id: String,
    event: &'a str,
    object: String,
    times: Vec<String>,
    revisions: &'a [u64],
    consecutive: bool,
    cure: String,
}

impl Object<'_> {
    /// The object as one line, without the line's end.
    pub(crate) fn to_line(&self) -> String {
        #[derive(Serialize)]
        struct Versioned<'a> {
            v: u8,
            #[serde(flatten)]
            object: &'a Object<'a>,
        }
        // Only strings, numbers and maps with text keys are in there: writing cannot fail.
        serde_json::to_string(&Versioned {
            v: VERSION,
            object: self,
        })
        .unwrap_or_default()
    }
}

impl<'a> Object<'a> {
    /// The link's state.
    pub(crate) fn link(state: &'a LinkState) -> Self {
        let (state, reason) = match state {
            LinkState::Off => ("off", None),
            LinkState::Connecting { reason, .. } => ("connecting", reason.as_deref()),
            LinkState::Up { .. } => ("up", None),
            LinkState::Stopped { reason } => ("stopped", Some(reason.as_str())),
        };
        Self::Link { state, reason }
    }

    /// What came of the validation of a `hook.verify`.
    pub(crate) fn verify(
        event: EventId,
        hook_id: Option<u64>,
        verification: &'a Verification,
    ) -> Self {
        let error = match verification {
            Verification::Validated | Verification::ActiveAnyway => None,
            Verification::Failed { reason } => Some(reason.as_str()),
        };
        let (id, hook_id) = (event.to_string(), hook_id.map(|id| id.to_string()));
        Self::Verify {
            id,
            hook_id,
            ok: error.is_none(),
            error,
        }
    }

    /// A request that was made up here, with what came of it.
    pub(crate) fn triggered(
        event: Option<&'a str>,
        url: &'a str,
        sent: &'a AttemptSummary,
    ) -> Self {
        Self::Triggered(TriggeredObject {
            event,
            url,
            duration_ms: duration_ms(sent.duration),
            outcome: match &sent.outcome {
                Ok(status) => OutcomeField::Status(*status),
                Err(error) => OutcomeField::Error(error),
            },
        })
    }

    /// A loop that was found.
    pub(crate) fn found(finding: &'a LoopFinding) -> Self {
        Self::Loop(LoopObject {
            id: finding.event.to_string(),
            hook_id: finding.hook_id.to_string(),
            event: &finding.event_type,
            object: finding.object.to_string(),
            times: finding.times.iter().copied().map(millis).collect(),
            revisions: &finding.revisions,
            consecutive: finding.consecutive,
            cure: finding.cure(),
        })
    }

    /// An event; with its attempts where they are given.
    pub(crate) fn event(event: &'a Event, attempts: Option<&'a [Attempt]>) -> Self {
        let request = &event.request;
        Self::Event(EventObject {
            id: event.id.to_string(),
            seq: event.seq,
            received_at: millis(request.received_at),
            method: &request.method,
            path: &request.path,
            event: event.podio.as_ref().map(|podio| podio.kind.as_str()),
            params: event
                .podio
                .as_ref()
                .map(|podio| params(&podio.params))
                .unwrap_or_default(),
            headers: &request.headers,
            body: match std::str::from_utf8(&request.body) {
                Ok(text) => Body::Body(text),
                Err(_) => Body::BodyBase64(STANDARD.encode(&request.body)),
            },
            attempts: attempts.map(|all| all.iter().map(AttemptObject::from).collect()),
        })
    }
}

impl<'a> From<&'a Attempt> for AttemptObject<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            id: attempt.event.to_string(),
            attempt: attempt.number,
            replay: attempt.replay,
            url: &attempt.url,
            started_at: millis(attempt.started_at),
            duration_ms: duration_ms(attempt.duration),
            outcome: match &attempt.outcome {
                Outcome::Answered { status, .. } => OutcomeField::Status(*status),
                Outcome::Failed { error } => OutcomeField::Error(error),
            },
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
fn millis(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Milliseconds to the microsecond.
fn duration_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn params(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs {
        let value = Value::from(value.as_str());
        match map.get_mut(name) {
            None => {
                map.insert(name.clone(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_become_a_list_and_the_rest_stay_text() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let map = params(&[
            pair("a", "1"),
            pair("b", "2"),
            pair("a", "3"),
            pair("a", "4"),
        ]);
        assert_eq!(
            Value::from(map).to_string(),
            r#"{"a":["1","3","4"],"b":"2"}"#
        );
    }

    #[test]
    fn every_object_carries_version_and_type() {
        let line = Object::Gap {
            from: Seq(1),
            to: Seq(2),
            reason: "age",
        }
        .to_line();
        assert_eq!(
            line,
            r#"{"v":1,"type":"gap","from":1,"to":2,"reason":"age"}"#
        );
        let ready = Ready::Listen {
            url: "https://x/",
            forwards_to: None,
            tunnel: "crm",
        };
        assert_eq!(
            Object::Ready(ready).to_line(),
            r#"{"v":1,"type":"ready","url":"https://x/","forwards_to":null,"tunnel":"crm"}"#
        );
    }
}
