//! Serializes failed deliveries with the same fault, according to the schema.

use jiff::Timestamp;
use podtap_wire::EventId;
use serde::Serialize;

use super::{OutcomeFields, line, millis};
use crate::history::FailureGroup;
use crate::likely;

/// A group of failures.
#[derive(Debug, Serialize)]
pub struct FailureObject<'a> {
    fingerprint: &'a str,
    events: u64,
    objects: usize,
    types: &'a [String],
    #[serde(flatten)]
    outcome: OutcomeFields<'a>,
    /// The most informative line of the newest answer; absent if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(with = "millis")]
    first_at: Timestamp,
    #[serde(with = "millis")]
    last_at: Timestamp,
    /// The newest event.
    id: EventId,
    reason: &'static str,
    hint: &'static str,
}

impl FailureObject<'_> {
    /// Returns the object as one line, without the line's end.
    pub fn to_line(&self) -> String {
        line("failure", self)
    }
}

impl<'a> From<&'a FailureGroup> for FailureObject<'a> {
    fn from(group: &'a FailureGroup) -> Self {
        let line = group.line.as_str();
        let error = group.status.is_none().then_some(line);
        let likely = likely::of(group.outcome());
        Self {
            fingerprint: &group.fingerprint,
            events: group.events,
            objects: group.objects,
            types: &group.types,
            outcome: OutcomeFields::new(group.status, error),
            line: group.status.is_some().then_some(line),
            first_at: group.first_at,
            last_at: group.last_at,
            id: group.newest,
            reason: likely.reason,
            hint: likely.cure,
        }
    }
}
