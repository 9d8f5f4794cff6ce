//! Serializes a gap of the list.

use jiff::Timestamp;
use serde::Serialize;

use crate::export::json::millis;
use crate::history::HistoryGap;

/// A gap, as a row between events.
#[derive(Debug, Serialize)]
pub struct ShownGap {
    position: i64,
    #[serde(with = "millis")]
    found_at: Timestamp,
    kind: &'static str,
    /// Number of lost webhooks; null if it is unknown.
    count: Option<u64>,
    /// What happened, as a sentence.
    what: String,
    /// The command that looks for the lost events.
    cure: String,
}

impl From<&HistoryGap> for ShownGap {
    fn from(gap: &HistoryGap) -> Self {
        Self {
            position: gap.position.0,
            found_at: gap.found_at,
            kind: gap.word(),
            count: gap.count(),
            what: gap.to_string(),
            cure: gap.cure(),
        }
    }
}
