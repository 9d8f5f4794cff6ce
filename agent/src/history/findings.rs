//! Stores findings about several events, and incidents of the link, in the order in which they
//! became known: loops, outcomes of verifications, gaps. A follower continues from its last
//! position, so that it misses nothing at the start or after a lag and prints nothing twice.

use jiff::Timestamp;
use podtap_podio::{ObjectKind, ObjectRef};
use podtap_wire::EventId;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

use super::finding::{LoopFinding, LoopShape, Maker};
use super::hook_news::{HookNews, StoredHookNews};
use super::incident::Incident;
use super::insight::Verification;
use super::position::{EventKey, Position};
use super::row;

/// Maximum number of stored findings.
const MAX_FINDINGS: u32 = 10_000;

/// Maximum number of stored loops.
const MAX_LOOPS: u32 = 1000;

/// Maximum number of loops that one call reads.
const LOOPS_AT_ONCE: usize = 100;

/// A finding's position, in the order in which findings became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingPosition(pub(super) i64);

/// Something that became known about events, hooks or the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The validation of a `hook.verify` has ended.
    Verified {
        event: EventId,
        /// The hook, if the event names one.
        hook_id: Option<u64>,
        /// The outcome.
        verification: Verification,
    },
    Loop(Box<LoopFinding>),
    /// The condition of a hook changed.
    Hook(Box<HookNews>),
    /// Events were lost, or a clock was set.
    Incident(Incident),
}

/// Returns at most `limit` findings after `after`. Findings
/// of an unknown kind, from a later version, are skipped.
pub(super) fn findings_after(
    connection: &Connection,
    FindingPosition(after): FindingPosition,
    limit: usize,
) -> rusqlite::Result<Vec<(FindingPosition, Finding)>> {
    let sql = "SELECT number, finding FROM findings WHERE number > ? ORDER BY number LIMIT ?";
    let found = row::rows(connection, sql, params![after, limit], |found| {
        let text = found.get_ref("finding")?.as_str()?;
        let stored: Option<FindingRow> = serde_json::from_str(text).ok();
        let finding = stored.and_then(FindingRow::into_finding);
        Ok((FindingPosition(found.get("number")?), finding))
    })?;
    let known = found.into_iter().filter_map(|(at, one)| Some((at, one?)));
    Ok(known.collect())
}

/// Returns the newest findings, newest first.
pub(super) fn newest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Finding>> {
    let sql = "SELECT finding FROM findings ORDER BY number DESC LIMIT ?";
    let found = row::rows(connection, sql, [limit], |found| {
        let stored: Option<FindingRow> =
            serde_json::from_str(found.get_ref("finding")?.as_str()?).ok();
        Ok(stored.and_then(FindingRow::into_finding))
    })?;
    Ok(found.into_iter().flatten().collect())
}

pub(super) fn loops(connection: &Connection) -> rusqlite::Result<Vec<LoopFinding>> {
    let sql = "SELECT position, finding FROM loops ORDER BY position DESC LIMIT ?";
    let found = row::rows(connection, sql, [LOOPS_AT_ONCE], |found| {
        let stored: StoredLoop = row::json(found, "finding")?;
        Ok(stored.into_finding(Position(found.get("position")?)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

pub(super) fn write_verified(
    transaction: &Transaction<'_>,
    event: EventKey,
    hook_id: Option<u64>,
    verification: &Verification,
) -> rusqlite::Result<()> {
    let (outcome, error) = row::verification_to_sql(verification);
    transaction
        .prepare_cached("UPDATE events SET verification = ?, verify_error = ? WHERE position = ?")?
        .execute(params![outcome, error, event.position.0])?;
    let stored = FindingRow::Verified {
        event: event.id,
        hook_id,
        outcome,
        error: error.map(str::to_owned),
    };
    write(transaction, &stored)
}

pub(super) fn write_loop(
    transaction: &Transaction<'_>,
    finding: &LoopFinding,
) -> rusqlite::Result<()> {
    let stored = StoredLoop::from(finding);
    transaction
        .prepare_cached("INSERT OR REPLACE INTO loops (position, finding) VALUES (?, ?)")?
        .execute(params![finding.position.0, row::to_json(&stored)?])?;
    transaction
        .prepare_cached(
            "DELETE FROM loops WHERE position <= \
             (SELECT position FROM loops ORDER BY position DESC LIMIT 1 OFFSET ?)",
        )?
        .execute([MAX_LOOPS])?;
    let position = finding.position.0;
    write(transaction, &FindingRow::Loop { position, stored })
}

pub(super) fn write_hook(transaction: &Transaction<'_>, news: &HookNews) -> rusqlite::Result<()> {
    write(transaction, &FindingRow::Hook(news.clone().into()))
}

pub(super) fn write_incident(
    transaction: &Transaction<'_>,
    incident: &Incident,
) -> rusqlite::Result<()> {
    write(transaction, &FindingRow::Incident(incident.clone()))
}

fn write(transaction: &Transaction<'_>, stored: &FindingRow) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO findings (finding) VALUES (?)")?
        .execute([row::to_json(stored)?])?;
    transaction
        .prepare_cached("DELETE FROM findings WHERE number <= ?")?
        .execute([transaction.last_insert_rowid() - i64::from(MAX_FINDINGS)])
        .map(drop)
}

/// A finding as the column `finding` of `findings` stores it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum FindingRow {
    Verified {
        event: EventId,
        hook_id: Option<u64>,
        outcome: i64,
        error: Option<String>,
    },
    Loop {
        position: i64,
        #[serde(rename = "loop")]
        stored: StoredLoop,
    },
    Hook(StoredHookNews),
    #[serde(untagged)]
    Incident(Incident),
}

impl FindingRow {
    fn into_finding(self) -> Option<Finding> {
        Some(match self {
            Self::Verified {
                event,
                hook_id,
                outcome,
                error,
            } => Finding::Verified {
                event,
                hook_id,
                verification: row::verification_from_sql(outcome, error),
            },
            Self::Loop { position, stored } => {
                Finding::Loop(Box::new(stored.into_finding(Position(position))?))
            }
            Self::Hook(stored) => Finding::Hook(Box::new(stored.into())),
            Self::Incident(incident) => Finding::Incident(incident),
        })
    }
}

/// An object as a finding stores it.
#[derive(Debug, Serialize, Deserialize)]
struct StoredObject {
    kind: String,
    id: u64,
}

impl StoredObject {
    fn of(object: &ObjectRef) -> Self {
        Self {
            kind: object.kind.as_str().to_owned(),
            id: object.id,
        }
    }

    /// Returns `None` if the kind is from a later version and unknown here.
    fn into_object(self) -> Option<ObjectRef> {
        Some(ObjectRef {
            kind: ObjectKind::from_word(&self.kind)?,
            id: self.id,
        })
    }
}

/// A loop as the column `finding` of `loops` stores it.
/// Fields that earlier formats did not have are optional.
#[derive(Debug, Serialize, Deserialize)]
struct StoredLoop {
    object_kind: String,
    object_id: u64,
    hook_id: u64,
    event_type: String,
    event: EventId,
    times: Vec<i64>,
    revisions: Vec<u64>,
    consecutive: bool,
    #[serde(default)]
    circle: Vec<StoredObject>,
    #[serde(default)]
    adds: bool,
    #[serde(default)]
    maker: Option<Maker>,
}

impl From<&LoopFinding> for StoredLoop {
    fn from(finding: &LoopFinding) -> Self {
        let circle = match &finding.shape {
            LoopShape::Circle(others) => others.iter().map(StoredObject::of).collect(),
            LoopShape::Same | LoopShape::Adds => Vec::new(),
        };
        Self {
            object_kind: finding.object.kind.as_str().to_owned(),
            object_id: finding.object.id,
            hook_id: finding.hook_id,
            event_type: finding.event_type.clone(),
            event: finding.event,
            times: finding.times.iter().map(|t| t.as_millisecond()).collect(),
            revisions: finding.revisions.clone(),
            consecutive: finding.consecutive,
            circle,
            adds: finding.shape == LoopShape::Adds,
            maker: Some(finding.maker.clone()),
        }
    }
}

impl StoredLoop {
    /// Returns `None` if the object's kind is from a later version and unknown here.
    fn into_finding(self, position: Position) -> Option<LoopFinding> {
        let times = self.times.into_iter();
        let circle = self.circle.into_iter();
        let circle: Vec<_> = circle.filter_map(StoredObject::into_object).collect();
        let object = StoredObject {
            kind: self.object_kind,
            id: self.object_id,
        };
        Some(LoopFinding {
            object: object.into_object()?,
            hook_id: self.hook_id,
            event_type: self.event_type,
            event: self.event,
            position,
            times: times
                .filter_map(|millis| Timestamp::from_millisecond(millis).ok())
                .collect(),
            revisions: self.revisions,
            consecutive: self.consecutive,
            shape: match self.adds {
                true => LoopShape::Adds,
                false if circle.is_empty() => LoopShape::Same,
                false => LoopShape::Circle(circle),
            },
            maker: self.maker.unwrap_or_default(),
        })
    }
}
