//! An event whole: what came, what changed, and what was answered.

use podtap_wire::HeaderList;
use serde::Serialize;

use super::ShownBody;
use crate::compare::AnswerChange;
use crate::explain::Explanation;
use crate::export::json::AttemptObject;
use crate::history::{Attempt, Event, Outcome};

/// Attempts that are shown: the newest.
const MAX_ATTEMPTS: usize = 50;

/// An event with its attempts, and what is remembered of it.
#[derive(Debug, Serialize)]
pub struct ShownEvent<'a> {
    id: String,
    position: i64,
    received_at: String,
    method: &'a str,
    path: &'a str,
    peer: Option<String>,
    event: Option<&'a str>,
    /// As the form had them, in order.
    params: &'a [(String, String)],
    headers: Vec<(&'a str, String)>,
    body: ShownBody,
    note: Option<&'a str>,
    explanation: Option<ShownExplanation<'a>>,
    attempts: Vec<ShownAttempt<'a>>,
    left_out: usize,
}

/// What Podio knows of an event.
#[derive(Debug, Serialize)]
pub struct ShownExplanation<'a> {
    facts: Vec<(&'static str, &'a str)>,
    changes: Vec<(&'a str, &'a str, &'a str)>,
    notes: &'a [String],
}

/// An attempt, and the answer to it.
#[derive(Debug, Serialize)]
pub struct ShownAttempt<'a> {
    #[serde(flatten)]
    attempt: AttemptObject<'a>,
    answer_headers: Vec<(&'a str, String)>,
    answer: Option<ShownBody>,
}

impl<'a> ShownEvent<'a> {
    /// The event with the newest of these attempts, of each body at most `limit` bytes.
    pub fn new(
        event: &'a Event,
        attempts: &'a [Attempt],
        explanation: Option<&'a Explanation>,
        limit: usize,
    ) -> Self {
        let (request, podio) = (&event.request, event.podio.as_ref());
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
    /// The same with how its answer differs from the first one to the event.
    #[must_use]
    pub fn with_change(mut self, change: Option<AnswerChange>) -> Self {
        self.attempt = self.attempt.with_change(change);
        self
    }

    /// The attempt with at most `limit` bytes of the answer's body.
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
            answer_headers,
            answer,
        }
    }
}

/// Headers as text: what is none of it shows as the sign for that.
fn texts(headers: &HeaderList) -> Vec<(&str, String)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name, String::from_utf8_lossy(value.as_ref()).into_owned()))
        .collect()
}
