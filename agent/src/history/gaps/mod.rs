//! Stores gaps in the sequence of events, each at a position of its own between the events before
//! and after it. Gaps are not events: they are not delivered, counted or found by filters.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::event::EventRow;
use super::incident::Incident;
use super::position::Position;
use super::row;
use crate::amount;

/// Maximum number of stored gaps; the oldest are removed first.
pub(super) const MAX_GAPS: u32 = 1_000;

/// Webhooks that did not arrive, as a row of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryGap {
    /// Its position, which no event has.
    pub position: Position,
    /// Time at which the gap became known.
    pub found_at: Timestamp,
    /// Time from which on webhooks may be lost, if known.
    pub since: Option<Timestamp>,
    /// The incident that caused the gap.
    pub incident: Incident,
}

/// A row of the whole history: an event, a burst or a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "hardly any row is a gap")]
pub enum HistoryRow {
    Event(EventRow),
    Gap(HistoryGap),
}

impl HistoryGap {
    /// Returns the number of lost webhooks; `None` if it is unknown.
    pub const fn count(&self) -> Option<u64> {
        match &self.incident {
            Incident::Gap { from, to, .. } => Some(Incident::count(*from, *to)),
            Incident::Refused { count, .. } => Some(*count),
            Incident::LinkOutage { .. } | Incident::ClockSet(_) => None,
        }
    }

    /// Returns the kind of gap as one word of a fixed set.
    pub const fn word(&self) -> &'static str {
        match &self.incident {
            Incident::Gap { .. } => "removed",
            Incident::Refused { .. } => "refused",
            Incident::LinkOutage { .. } | Incident::ClockSet(_) => "outage",
        }
    }

    /// Returns the reason in a few words. The relay may have sent it: escape it before showing it.
    pub fn reason(&self) -> String {
        match &self.incident {
            Incident::Gap { reason, .. } | Incident::Refused { reason, .. } => reason.clone(),
            Incident::LinkOutage { since, until } => {
                let away = amount::age(until.duration_since(*since));
                format!("no relay for {away}")
            }
            Incident::ClockSet(set) => set.to_string(),
        }
    }

    /// Returns the command that looks for the lost events.
    pub fn cure(&self) -> String {
        match self.since {
            Some(since) => format!(
                "podtap repair --since {}",
                since.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
            None => "podtap repair".to_owned(),
        }
    }
}

impl fmt::Display for HistoryGap {
    /// Writes how many and why: `3 events (12 to 14) were removed by the relay: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.incident.fmt(f)
    }
}

impl HistoryRow {
    /// Returns its position; for a burst, that of its newest event.
    pub const fn position(&self) -> Position {
        match self {
            Self::Event(row) => row.position,
            Self::Gap(gap) => gap.position,
        }
    }

    /// Returns the oldest position that the row represents.
    pub fn oldest(&self) -> Position {
        match self {
            Self::Event(row) => row.oldest(),
            Self::Gap(gap) => gap.position,
        }
    }

    /// Returns whether the row represents this position.
    pub fn shows(&self, position: Position) -> bool {
        (self.oldest()..=self.position()).contains(&position)
    }

    /// Returns the event or the burst.
    pub const fn event(&self) -> Option<&EventRow> {
        match self {
            Self::Event(row) => Some(row),
            Self::Gap(_) => None,
        }
    }

    pub const fn gap(&self) -> Option<&HistoryGap> {
        match self {
            Self::Event(_) => None,
            Self::Gap(gap) => Some(gap),
        }
    }
}

impl From<EventRow> for HistoryRow {
    fn from(row: EventRow) -> Self {
        Self::Event(row)
    }
}

/// Stores an incident, if it is a gap, at a position after all existing ones.
pub(super) fn write(
    transaction: &Transaction<'_>,
    incident: &Incident,
    now: Timestamp,
) -> rusqlite::Result<Option<Position>> {
    if matches!(incident, Incident::ClockSet(_)) {
        return Ok(None);
    }
    let position = take_place(transaction)?;
    let since = since(transaction, incident)?.map(Timestamp::as_millisecond);
    transaction
        .prepare_cached(
            "INSERT INTO gaps (position, found_at, since, incident) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![
            position,
            now.as_millisecond(),
            since,
            row::to_json(incident)?
        ])?;
    transaction
        .prepare_cached(
            "DELETE FROM gaps WHERE position <= \
             (SELECT position FROM gaps ORDER BY position DESC LIMIT 1 OFFSET ?)",
        )?
        .execute([MAX_GAPS])?;
    Ok(Some(Position(position)))
}

/// Takes a position as an event would, so that no event ever gets it.
fn take_place(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    let next = transaction
        .prepare_cached(
            "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'events' RETURNING seq",
        )?
        .query_row([], |found| found.get(0))
        .optional()?;
    if let Some(next) = next {
        return Ok(next);
    }
    // There was no event yet.
    transaction
        .prepare_cached(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', 1) RETURNING seq",
        )?
        .query_row([], |found| found.get(0))
}

/// Returns the time from which on webhooks may be lost:
/// at the latest, that of the event before the gap.
fn since(
    transaction: &Transaction<'_>,
    incident: &Incident,
) -> rusqlite::Result<Option<Timestamp>> {
    if let Incident::LinkOutage { since, .. } = incident {
        return Ok(Some(*since));
    }
    let before = transaction
        .prepare_cached("SELECT received_at FROM events ORDER BY position DESC LIMIT 1")?
        .query_row([], |found| row::timestamp(found, "received_at"))
        .optional()?;
    Ok(match incident {
        Incident::Refused { last_at, .. } => {
            Some(before.map_or(*last_at, |before| before.min(*last_at)))
        }
        _ => before,
    })
}

/// Returns at most `limit` gaps between two positions, both excluded: the newest or the oldest,
/// according to `order`. Gaps that a later version wrote in an unknown form are skipped.
pub(super) fn between(
    connection: &Connection,
    low: i64,
    high: i64,
    order: &str,
    limit: usize,
) -> rusqlite::Result<Vec<HistoryGap>> {
    let sql = format!(
        "SELECT position, found_at, since, incident FROM gaps \
         WHERE position > ? AND position < ? ORDER BY position {order} LIMIT ?"
    );
    let found = row::rows(connection, &sql, params![low, high, limit], |found| {
        let incident = serde_json::from_str(found.get_ref("incident")?.as_str()?).ok();
        let since = found.get::<_, Option<i64>>("since")?;
        let gap = |incident| {
            Ok::<_, rusqlite::Error>(HistoryGap {
                position: Position(found.get("position")?),
                found_at: row::timestamp(found, "found_at")?,
                since: since.and_then(|since| Timestamp::from_millisecond(since).ok()),
                incident,
            })
        };
        incident.map(gap).transpose()
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// Removes the gaps that are older than all remaining events.
pub(super) fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM gaps WHERE position < (SELECT min(position) FROM events)")?
        .execute([])
        .map(drop)
}

#[cfg(test)]
mod tests;
