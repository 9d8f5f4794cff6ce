//! One event whole: what came, what changed, what was answered, and another try.

use http::StatusCode;
use podtap_agent::decoded;
use podtap_agent::explain::ExplainError;
use podtap_agent::export::json::AttemptObject;
use podtap_agent::history::{Attempt, Event, HistoryError, Outcome};
use podtap_agent::{AgentHandle, EventId, Explanation, HeaderList, Replay, ReplayError};
use serde::Serialize;

use crate::answer::{PageAnswer, error, json};

/// Of a body this many bytes are shown; `podtap show` has all of it.
const MAX_SHOWN: usize = 256 * 1024;

/// Attempts that are shown: the newest.
const MAX_ATTEMPTS: usize = 50;

#[derive(Debug, Serialize)]
struct Detail<'a> {
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
    body: Body,
    note: Option<&'a str>,
    explanation: Option<Explained<'a>>,
    attempts: Vec<Tried<'a>>,
    left_out: usize,
}

/// A body as text.
#[derive(Debug, Serialize)]
struct Body {
    text: String,
    /// Its size as it came.
    bytes: usize,
    /// Whether it is longer than what is shown.
    cut: bool,
    /// Whether some of it is not text.
    binary: bool,
    /// How it was packed.
    packing: Option<String>,
}

#[derive(Debug, Serialize)]
struct Explained<'a> {
    facts: Vec<(&'static str, &'a str)>,
    changes: Vec<(&'a str, &'a str, &'a str)>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Tried<'a> {
    #[serde(flatten)]
    attempt: AttemptObject<'a>,
    answer_headers: Vec<(&'a str, String)>,
    answer: Option<Body>,
}

/// An event with its attempts, and what is remembered of it.
pub(crate) async fn whole(handle: &AgentHandle, id: EventId) -> PageAnswer {
    let read = async {
        let Some(event) = handle.history().event(id).await? else {
            return Ok(None);
        };
        let attempts = handle.history().attempts(id).await?;
        let explanation = handle.recall_explanation(&event).await?;
        Ok::<_, HistoryError>(Some((event, attempts, explanation)))
    };
    match read.await {
        Ok(Some((event, attempts, explanation))) => {
            json(&Detail::new(&event, &attempts, explanation.as_ref()))
        }
        Ok(None) => error(
            StatusCode::NOT_FOUND,
            "the history does not have this event",
        ),
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
}

/// What Podio knows of an event.
pub(crate) async fn explain(handle: &AgentHandle, id: EventId) -> PageAnswer {
    match handle.explain(id).await {
        Ok(explanation) => json(&Explained::from(&explanation)),
        Err(failed) => {
            let status = match failed {
                ExplainError::UnknownEvent(_) => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            error(status, &failed.to_string())
        }
    }
}

/// Sends an event to the local service once more.
pub(crate) async fn replay(handle: &AgentHandle, id: EventId) -> PageAnswer {
    let replay = Replay {
        event: id,
        target: None,
        edited: None,
    };
    match handle.replay(replay).await {
        Ok(attempt) => json(&Tried::from(&attempt)),
        Err(failed) => {
            let status = match failed {
                ReplayError::UnknownEvent(_) => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            error(status, &failed.to_string())
        }
    }
}

impl<'a> Detail<'a> {
    fn new(
        event: &'a Event,
        attempts: &'a [Attempt],
        explanation: Option<&'a Explanation>,
    ) -> Self {
        let (request, podio) = (&event.request, event.podio.as_ref());
        let left_out = attempts.len().saturating_sub(MAX_ATTEMPTS);
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
            body: Body::new(&request.headers, &request.body, request.body.len()),
            note: event.note.as_deref(),
            explanation: explanation.map(Explained::from),
            attempts: attempts.iter().skip(left_out).map(Tried::from).collect(),
            left_out,
        }
    }
}

impl Body {
    fn new(headers: &HeaderList, body: &[u8], bytes: usize) -> Self {
        let unpacked = decoded::unpack(headers, body);
        let text = decoded::text(headers, &unpacked.bytes);
        let shown = text.get(..MAX_SHOWN).unwrap_or(&text);
        let cut = shown.len() < text.len() || bytes > body.len() || !unpacked.is_whole();
        let packing = unpacked.packing.map(|packing| match packing.result {
            Ok(_) => packing.coding,
            Err(why) => format!("{}: {why}", packing.coding),
        });
        // The last character may be cut in two, which says nothing about what it is.
        let head = shown
            .get(..shown.len().saturating_sub(4))
            .unwrap_or_default();
        Self {
            text: String::from_utf8_lossy(shown).into_owned(),
            bytes,
            cut,
            binary: String::from_utf8_lossy(head).contains('\u{fffd}'),
            packing,
        }
    }
}

impl<'a> From<&'a Explanation> for Explained<'a> {
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

impl<'a> From<&'a Attempt> for Tried<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        let (answer_headers, answer) = match &attempt.outcome {
            Outcome::Answered {
                headers,
                body,
                body_bytes,
                ..
            } => {
                let bytes = usize::try_from(*body_bytes).unwrap_or(usize::MAX);
                (texts(headers), Some(Body::new(headers, body, bytes)))
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
