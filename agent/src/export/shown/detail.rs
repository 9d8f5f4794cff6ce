//! Serializes an event with everything about it: the request, the changes, and the answers.

use podtap_podio::{EventKind, PodioEvent};
use podtap_wire::HeaderList;
use serde::Serialize;

use super::ShownBody;
use crate::compare::AnswerChange;
use crate::explain::Explanation;
use crate::export::json::{AttemptObject, VerifiedObject};
use crate::history::{Attempt, DeliveryState, Event, Outcome};
use crate::{parameter, remark};

/// Maximum number of attempts, the newest.
const MAX_ATTEMPTS: usize = 50;

/// An event with its attempts and its stored explanation.
#[derive(Debug, Serialize)]
pub struct ShownEvent<'a> {
    id: String,
    position: i64,
    received_at: String,
    method: &'a str,
    path: &'a str,
    peer: Option<String>,
    event: Option<&'a str>,
    /// The meaning of its type.
    meaning: Option<&'static str>,
    /// The object of the event, such as `item 4711`.
    object: Option<String>,
    revision: Option<u64>,
    hook_id: Option<u64>,
    /// The place of its hook.
    place: Option<String>,
    /// What it waits for, or why it is held, if there is no attempt.
    state: Option<&'static str>,
    /// The outcome of a `hook.verify`.
    verification: Option<VerifiedObject<'a>>,
    /// What was found out about it: labels and texts.
    remarks: Vec<(&'static str, String)>,
    /// The parameters as in the form, in order.
    params: &'a [(String, String)],
    /// The meaning of each parameter, from the catalogue.
    param_meanings: Vec<&'static str>,
    headers: Vec<(&'a str, String)>,
    body: ShownBody,
    note: Option<&'a str>,
    explanation: Option<ShownExplanation<'a>>,
    attempts: Vec<ShownAttempt<'a>>,
    left_out: usize,
}

/// What Podio knows about an event.
#[derive(Debug, Serialize)]
pub struct ShownExplanation<'a> {
    facts: Vec<(&'static str, &'a str)>,
    changes: Vec<(&'a str, &'a str, &'a str)>,
    notes: &'a [String],
}

/// An attempt and its answer.
#[derive(Debug, Serialize)]
pub struct ShownAttempt<'a> {
    #[serde(flatten)]
    attempt: AttemptObject<'a>,
    /// For a replay: how its answer differs from the first one.
    change: Option<String>,
    answer_headers: Vec<(&'a str, String)>,
    answer: Option<ShownBody>,
}

impl<'a> ShownEvent<'a> {
    /// Creates the object with the newest of these attempts and at most `limit` bytes of each body.
    pub fn new(
        event: &'a Event,
        attempts: &'a [Attempt],
        explanation: Option<&'a Explanation>,
        limit: usize,
    ) -> Self {
        let (request, podio) = (&event.request, event.podio.as_ref());
        let insight = &event.insight;
        let left_out = attempts.len().saturating_sub(MAX_ATTEMPTS);
        let bytes = request.body.len();
        Self {
            id: event.id.to_string(),
            position: event.position.0,
            received_at: request.received_at.to_string(),
            method: &request.method,
            path: &request.path,
            peer: request.peer.map(|peer| peer.to_string()),
            event: podio.map(|podio| podio.kind.as_str()),
            meaning: podio.and_then(|podio| match &podio.kind {
                EventKind::Known(event) => Some(event.spec().summary),
                EventKind::Other(_) => None,
            }),
            object: podio
                .and_then(PodioEvent::object)
                .map(|object| object.to_string()),
            revision: podio.and_then(PodioEvent::revision),
            hook_id: podio.and_then(|podio| podio.hook_id),
            place: insight.place.as_ref().map(ToString::to_string),
            state: (attempts.is_empty() || event.state == DeliveryState::Pending)
                .then(|| event.state.word(insight.hold)),
            verification: insight.verification.as_ref().map(VerifiedObject::new),
            remarks: remark::of(insight)
                .into_iter()
                .map(|remark| (remark.label, remark.words))
                .collect(),
            param_meanings: podio.map(meanings).unwrap_or_default(),
            params: podio
                .map(|podio| podio.params.as_slice())
                .unwrap_or_default(),
            headers: texts(&request.headers),
            body: ShownBody::new(&request.headers, &request.body, bytes, limit),
            note: event.note.as_deref(),
            explanation: explanation.map(ShownExplanation::from),
            attempts: attempts
                .iter()
                .skip(left_out)
                .map(|attempt| {
                    let change = AnswerChange::of(attempt, attempts);
                    ShownAttempt::new(attempt, limit).with_change(change)
                })
                .collect(),
            left_out,
        }
    }
}

impl<'a> From<&'a Explanation> for ShownExplanation<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let changes = explanation.changes.iter();
        Self {
            facts: explanation.facts().collect(),
            changes: changes
                .map(|change| (&*change.field, &*change.from, &*change.to))
                .collect(),
            notes: &explanation.notes,
        }
    }
}

impl<'a> ShownAttempt<'a> {
    /// Adds how its answer differs from the first one.
    #[must_use]
    pub fn with_change(mut self, change: Option<AnswerChange>) -> Self {
        self.change = change.as_ref().map(AnswerChange::words);
        self.attempt = self.attempt.with_change(change);
        self
    }

    /// Creates the object with at most `limit` bytes of the answer's body.
    pub fn new(attempt: &'a Attempt, limit: usize) -> Self {
        let (answer_headers, answer) = match &attempt.outcome {
            Outcome::Answered {
                headers,
                body,
                body_bytes,
                ..
            } => {
                let bytes = usize::try_from(*body_bytes).unwrap_or(usize::MAX);
                let shown = ShownBody::new(headers, body, bytes, limit);
                (texts(headers), Some(shown))
            }
            Outcome::Failed { .. } => (Vec::new(), None),
        };
        Self {
            attempt: AttemptObject::from(attempt),
            change: None,
            answer_headers,
            answer,
        }
    }
}

fn meanings(podio: &PodioEvent) -> Vec<&'static str> {
    let names = podio.params.iter().map(|(name, _)| name);
    names
        .map(|name| parameter::meaning(&podio.kind, name))
        .collect()
}

/// Returns headers as text; invalid bytes become the replacement character.
fn texts(headers: &HeaderList) -> Vec<(&str, String)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name, String::from_utf8_lossy(value.as_ref()).into_owned()))
        .collect()
}
