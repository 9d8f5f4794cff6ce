//! Defines events and attempts as JSON objects: the schema of `docs/JSON.md`, which the command
//! line prints, the copy menu copies and an import reads. Only this module defines it: all code
//! writes and reads these objects through its types. Within a version, fields are added, never
//! renamed or removed.

mod explanation;
mod failure;
mod incident;
pub mod text;
mod time;

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Seq};
use serde::Serialize;
use serde_json::{Map, Value};

pub use explanation::ExplanationObject;
pub use failure::FailureObject;
pub use incident::IncidentObject;
pub use time::{duration_ms, millis};

use crate::command_end::CommandEnd;
use crate::compare::AnswerChange;
use crate::history::{Attempt, EditedRequest, Event, Insight, Outcome, Verification};

/// The schema's version.
pub const VERSION: u8 = 1;

/// An event; without attempts in streams, with attempts in listings.
#[derive(Debug, Clone, Serialize)]
pub struct EventObject<'a> {
    pub(crate) id: EventId,
    pub(crate) seq: Option<Seq>,
    #[serde(with = "millis")]
    pub(crate) received_at: Timestamp,
    pub(crate) method: Cow<'a, str>,
    pub(crate) path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<IpAddr>,
    /// Podio's type, such as `item.update`; null if it is not an event of Podio.
    pub(crate) event: Option<Cow<'a, str>>,
    /// The decoded form; a repeated parameter becomes a list.
    pub(crate) params: Map<String, Value>,
    pub(crate) headers: Cow<'a, HeaderList>,
    #[serde(flatten)]
    pub(crate) body: BodyFields<'a>,
    #[serde(flatten)]
    pub(crate) found: Findings<'a>,
    /// The note that a person wrote on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<Vec<AttemptObject<'a>>>,
}

#[derive(Debug, Clone, Serialize)]
pub struct AttemptObject<'a> {
    pub(crate) id: EventId,
    pub(crate) attempt: u32,
    pub(crate) replay: bool,
    pub(crate) url: Cow<'a, str>,
    /// The target of the attempt; absent in attempts of an earlier Podtap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Cow<'a, str>>,
    #[serde(with = "millis")]
    pub(crate) started_at: Timestamp,
    #[serde(with = "duration_ms")]
    pub(crate) duration_ms: Duration,
    #[serde(flatten)]
    pub(crate) outcome: OutcomeFields<'a>,
    /// How the command that was run instead of a service ended: a number, or `signal 9`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_status: Option<Cow<'a, str>>,
    /// The first line that the command printed, on stderr if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_line: Option<String>,
    /// The request that was sent instead of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) edited: Option<EditedObject<'a>>,
    /// What to do, if the attempt has just failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<&'static str>,
    /// How its answer differs from the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compared: Option<ComparedObject>,
}

/// The differences between the answer to a replay and the first answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ComparedObject {
    attempt: u32,
    /// Target of the first attempt, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_before: Option<String>,
    status_before: Option<u16>,
    other_status: bool,
    other_error: bool,
    other_headers: Vec<String>,
    other_body: bool,
}

/// A request that a person changed before it was replayed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EditedObject<'a> {
    pub(crate) method: Cow<'a, str>,
    pub(crate) path: Cow<'a, str>,
    pub(crate) headers: Cow<'a, HeaderList>,
    #[serde(flatten)]
    pub(crate) body: BodyFields<'a>,
}

/// A body as text if it is UTF-8, otherwise as base64, so
/// that no byte is lost. Only one of the fields is set.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct BodyFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body_base64: Option<Cow<'a, str>>,
}

/// The outcome of an attempt: a status, or the reason why there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OutcomeFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Cow<'a, str>>,
}

/// What was found out about an event; each field is absent if nothing was found.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Findings<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<VerifiedObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<DuplicateObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<LateObject>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repaired: bool,
}

/// The outcome of the validation of a `hook.verify`.
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedObject<'a> {
    ok: bool,
    error: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct LateObject {
    after_revision: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct DuplicateObject {
    same_hook: bool,
}

impl<'a> EventObject<'a> {
    /// Creates the object for an event, with its attempts if they are given.
    pub fn new(event: &'a Event, attempts: Option<&'a [Attempt]>) -> Self {
        let (request, podio) = (&event.request, event.podio.as_ref());
        Self {
            id: event.id,
            seq: event.place_in_queue(),
            received_at: request.received_at,
            method: Cow::Borrowed(&request.method),
            path: Cow::Borrowed(&request.path),
            peer: request.peer,
            event: podio.map(|podio| podio.kind.as_str().into()),
            params: podio.map(|podio| params(&podio.params)).unwrap_or_default(),
            headers: Cow::Borrowed(&request.headers),
            body: BodyFields::new(&request.body),
            found: Findings::from(&event.insight),
            note: event.note.as_deref().map(Cow::Borrowed),
            attempts: attempts.map(objects),
        }
    }

    /// Returns the object as one line, without the line's end.
    pub fn to_line(&self) -> String {
        line("event", self)
    }

    /// Returns the object on several lines, for people.
    pub fn to_pretty(&self) -> String {
        text::to_pretty(&with_version("event", self))
    }
}

impl AttemptObject<'_> {
    /// Adds what to do if the attempt failed, for people who see it happen.
    #[must_use]
    pub fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = self.outcome.error.as_ref().map(|_| hint);
        self
    }

    /// Adds how its answer differs from the first one, if there was one.
    #[must_use]
    pub fn with_change(mut self, change: Option<AnswerChange>) -> Self {
        self.compared = change.map(|change| ComparedObject {
            attempt: change.with_attempt,
            target_before: change.target_before,
            status_before: change.status_before,
            other_status: change.status,
            other_error: change.error,
            other_headers: change.headers,
            other_body: change.body,
        });
        self
    }

    /// Returns the object as one line, without the line's end.
    pub fn to_line(&self) -> String {
        line("attempt", self)
    }
}

impl<'a> From<&'a Attempt> for AttemptObject<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        let (status, error) = match &attempt.outcome {
            Outcome::Answered { status, .. } => (Some(*status), None),
            Outcome::Failed { error } => (None, Some(error.as_str())),
        };
        let command = CommandEnd::of(attempt);
        let (exit_status, first_line) =
            command.map(|end| (end.exit_status, end.first_line)).unzip();
        Self {
            id: attempt.event,
            attempt: attempt.number,
            replay: attempt.replay,
            url: Cow::Borrowed(&attempt.url),
            target: attempt.target.as_deref().map(Cow::Borrowed),
            started_at: attempt.started_at,
            duration_ms: attempt.duration,
            outcome: OutcomeFields::new(status, error),
            exit_status,
            first_line: first_line.flatten(),
            edited: attempt.edited.as_ref().map(EditedObject::from),
            hint: None,
            compared: None,
        }
    }
}

impl<'a> From<&'a EditedRequest> for EditedObject<'a> {
    fn from(edited: &'a EditedRequest) -> Self {
        Self {
            method: Cow::Borrowed(&edited.method),
            path: Cow::Borrowed(&edited.path),
            headers: Cow::Borrowed(&edited.headers),
            body: BodyFields::new(&edited.body),
        }
    }
}

impl<'a> BodyFields<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self {
                body: Some(text.into()),
                body_base64: None,
            },
            Err(_) => Self {
                body: None,
                body_base64: Some(STANDARD.encode(bytes).into()),
            },
        }
    }
}

impl<'a> OutcomeFields<'a> {
    /// Creates the fields from a status or an error.
    pub fn new(status: Option<u16>, error: Option<&'a str>) -> Self {
        let error = error.map(Cow::Borrowed);
        Self { status, error }
    }
}

impl<'a> VerifiedObject<'a> {
    /// Creates the object from an outcome, with the reason if it failed.
    pub fn new(verification: &'a Verification) -> Self {
        let error = match verification {
            Verification::Validated | Verification::ActiveAnyway => None,
            Verification::Failed { reason } => Some(reason.as_str()),
        };
        let ok = verification.is_ok();
        Self { ok, error }
    }
}

impl<'a> From<&'a Insight> for Findings<'a> {
    fn from(insight: &'a Insight) -> Self {
        Self {
            verified: insight.verification.as_ref().map(VerifiedObject::new),
            duplicate: insight.duplicate.map(|duplicate| DuplicateObject {
                same_hook: duplicate.same_hook,
            }),
            missing: Some(insight.missing).filter(|missing| *missing > 0),
            late: insight
                .late
                .map(|after_revision| LateObject { after_revision }),
            repaired: insight.repaired,
        }
    }
}

/// Returns attempts as they appear inside an event.
pub(crate) fn objects(attempts: &[Attempt]) -> Vec<AttemptObject<'_>> {
    attempts.iter().map(AttemptObject::from).collect()
}

/// An object with its version and type at the front.
#[derive(Serialize)]
struct VersionedObject<'a, T> {
    v: u8,
    r#type: &'static str,
    #[serde(flatten)]
    object: &'a T,
}

fn with_version<'a, T>(r#type: &'static str, object: &'a T) -> VersionedObject<'a, T> {
    let v = VERSION;
    VersionedObject { v, r#type, object }
}

/// Returns an object as one line, with its version and type at the front.
pub fn line(r#type: &'static str, object: &impl Serialize) -> String {
    text::to_line(&with_version(r#type, object))
}

fn params(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs {
        let value = Value::from(value.as_str());
        match map.get_mut(name) {
            None => drop(map.insert(name.clone(), value)),
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
}
