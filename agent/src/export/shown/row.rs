//! Serializes an event as a row of a list.

use serde::Serialize;

use crate::explain::RememberedEvent;
use crate::history::EventRow;

/// Maximum number of changed fields that a row names.
const MAX_FIELDS: usize = 3;

/// An event in a list, without headers and body.
#[derive(Debug, Serialize)]
pub struct ShownRow<'a> {
    position: i64,
    id: String,
    received_at: String,
    /// Podio's type, or method and path.
    what: String,
    object: Option<String>,
    revision: Option<u64>,
    hook_id: Option<String>,
    bytes: u64,
    /// What it waits for, or why it is held, if there is no attempt.
    state: Option<&'static str>,
    status: Option<u16>,
    error: Option<&'a str>,
    duration_ms: Option<f64>,
    attempts: u32,
    marks: Vec<String>,
    note: Option<&'a str>,
    title: Option<&'a str>,
    changed: Vec<&'a str>,
}

impl<'a> ShownRow<'a> {
    /// Creates a row with what is stored about its event.
    pub fn new(row: &'a EventRow, known: Option<&'a RememberedEvent>) -> Self {
        let last = row.outcome();
        let outcome = last.map(|last| last.outcome.as_ref());
        let what = match &row.event_type {
            Some(event_type) => event_type.clone(),
            None => format!("{} {}", row.method, row.path),
        };
        let changes = known.map(|known| known.changes.as_slice());
        let fields = changes.unwrap_or_default().iter();
        Self {
            position: row.position.0,
            id: row.id.to_string(),
            received_at: row.received_at.to_string(),
            what,
            object: row.object.map(|object| object.to_string()),
            revision: row.revision,
            hook_id: row.hook_id.map(|id| id.to_string()),
            bytes: row.body_bytes,
            state: last.is_none().then(|| row.state.word(row.insight.hold)),
            status: outcome.and_then(Result::ok).copied(),
            error: outcome.and_then(Result::err).map(String::as_str),
            duration_ms: last.map(|last| last.duration.as_secs_f64() * 1e3),
            attempts: row.attempts,
            marks: marks(row),
            note: row.note.as_deref(),
            title: known.and_then(|known| known.title.as_deref()),
            changed: fields
                .take(MAX_FIELDS)
                .map(|change| change.field.as_str())
                .collect(),
        }
    }
}

/// Returns what was found out about an event, one word each.
fn marks(row: &EventRow) -> Vec<String> {
    let insight = &row.insight;
    let verified = insight.verification.as_ref();
    let marks = [
        insight.duplicate.map(|_| "duplicate".to_owned()),
        (insight.missing > 0).then(|| format!("{} missing before", insight.missing)),
        insight.late.map(|_| "late".to_owned()),
        insight.repaired.then(|| "repaired".to_owned()),
        verified.map(|verified| {
            let word = if verified.is_ok() {
                "verified"
            } else {
                "not verified"
            };
            word.to_owned()
        }),
        row.last
            .as_ref()
            .filter(|last| last.replay)
            .map(|_| "replayed".to_owned()),
    ];
    marks.into_iter().flatten().collect()
}
