//! Gaps as entries of the history: where the way of the events was broken, each at a place of its own
//! between the events before and after it. They are no events: nothing delivers, counts or finds them.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::event::EventRow;
use super::incident::Incident;
use super::position::Position;
use super::row;
use crate::amount;

/// Gaps that are remembered; of more the oldest go.
pub(super) const MAX_GAPS: u32 = 1_000;

/// Webhooks that never came, as an entry of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryGap {
    /// Where it is; no event has this place.
    pub position: Position,
    /// When that came to be known.
    pub found_at: Timestamp,
    /// The moment from which on webhooks may be lost, where that is known.
    pub since: Option<Timestamp>,
    /// What happened.
    pub incident: Incident,
}

/// A row of the whole history: an event or a burst, or a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "hardly any row is a gap")]
pub enum HistoryRow {
    Event(EventRow),
    Gap(HistoryGap),
}

impl HistoryGap {
    /// How many never came; `None` where nobody knows.
    pub const fn count(&self) -> Option<u64> {
        match &self.incident {
            Incident::Gap { from, to, .. } => Some(Incident::count(*from, *to)),
            Incident::Refused { count, .. } => Some(*count),
            Incident::LinkOutage { .. } | Incident::ClockSet(_) => None,
        }
    }

    /// What kind of gap it is, in a word of a fixed set.
    pub const fn word(&self) -> &'static str {
        match &self.incident {
            Incident::Gap { .. } => "removed",
            Incident::Refused { .. } => "refused",
            Incident::LinkOutage { .. } | Incident::ClockSet(_) => "outage",
        }
    }

    /// Why, in a few words. May be the relay's own: escape it before showing it.
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

    /// What looks for what never came, as a command.
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
    /// How many, and why: `3 events (12 to 14) were removed by the relay: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.incident.fmt(f)
    }
}

impl HistoryRow {
    /// Where it is; of a burst where its newest event is.
    pub const fn position(&self) -> Position {
        match self {
            Self::Event(row) => row.position,
            Self::Gap(gap) => gap.position,
        }
    }

    /// The oldest place that it stands for.
    pub fn oldest(&self) -> Position {
        match self {
            Self::Event(row) => row.oldest(),
            Self::Gap(gap) => gap.position,
        }
    }

    /// Whether this place is one that it stands for.
    pub fn shows(&self, position: Position) -> bool {
        (self.oldest()..=self.position()).contains(&position)
    }

    /// The event, or the burst.
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

/// Gives an incident a place after all that is there, where it is a gap.
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

/// Takes a place as an event would, so that no event ever gets it.
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

/// From when on webhooks may be lost: at the latest from the event before the gap on.
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

/// At most `limit` gaps between two places, both excluded: the newest of them, or the oldest,
/// whichever `order` begins with. What a later build wrote is passed over.
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

/// Events were removed: a gap before which and after which nothing is left goes, too.
pub(super) fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM gaps WHERE position < (SELECT min(position) FROM events)")?
        .execute([])
        .map(drop)
}

#[cfg(test)]
mod tests;
