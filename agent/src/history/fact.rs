//! Stores what the agent adds to the history besides events and attempts: one [`Fact`] per thing,
//! written by the writer's thread and announced after the commit.

use jiff::Timestamp;
use podtap_podio::ObjectRef;
use rusqlite::{ToSql, Transaction, params};

use super::change::HistoryChange;
use super::event::DeliveryState;
use super::finding::LoopFinding;
use super::findings;
use super::gaps;
use super::hook_news::HookNews;
use super::incident::Incident;
use super::insight::{Duplicate, HoldReason, Verification};
use super::job::Hands;
use super::known_item::{self, KnownItem};
use super::made_hooks::{self, MadeHook};
use super::position::{EventKey, Position};
use super::row;
use super::tally::Tally;
use crate::place::Place;

/// Maximum number of stored explanations; each has a few kilobytes at most.
const MAX_EXPLANATIONS: u32 = 10_000;

/// Maximum number of stored outages of the local service: more than any machine has in the week for
/// which outages are evaluated.
const MAX_OUTAGES: u32 = 10_000;

/// Maximum number of characters of an event's note.
pub const MAX_NOTE: usize = 1_000;

/// Returns the note as it is stored; `None` if the text is empty.
pub(crate) fn whole_note(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(MAX_NOTE).collect())
}

/// Something that the history stores about its events or hooks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    /// The watch has read every event up to this one and stored its findings before this fact.
    Watched(Position),
    /// The validation of this `hook.verify` has ended.
    Verified {
        event: EventKey,
        hook_id: Option<u64>,
        verification: Verification,
    },
    /// This event repeats what an earlier event said.
    Duplicate {
        event: EventKey,
        duplicate: Duplicate,
    },
    /// Number of revisions just before this event that have not arrived.
    Missing {
        event: EventKey,
        revisions: u64,
    },
    /// A missing revision has arrived: at most this many are still missing. Written after the fact
    /// that it corrects, which may not have been in the history when the late revision was read.
    MissingAtMost {
        event: EventKey,
        revisions: u64,
    },
    /// The event came after a newer revision of its item; `after` is the newest of them.
    Late {
        event: EventKey,
        after: u64,
    },
    /// The event must not be delivered.
    Hold {
        event: EventKey,
        hold: HoldReason,
    },
    /// Events of a relay that are held because there was no local service wait for their delivery
    /// again, except those that were delivered by hand.
    DeliverHeld,
    /// Each target of the event has answered it.
    Settled(EventKey),
    Loop(LoopFinding),
    /// The condition of a hook changed.
    Hook(HookNews),
    /// Events were lost, or a clock was set.
    Incident(Incident),
    /// The tunnel's public URL.
    Tunnel {
        url: String,
    },
    /// From now on, events of this object are held.
    HoldObject(ObjectRef),
    /// From now on, events of this object are delivered again.
    ReleaseObject(ObjectRef),
    /// The place of a hook became known.
    Learned {
        hook_id: u64,
        place: Place,
    },
    /// The local service was unreachable during this time.
    Outage {
        since: Timestamp,
        until: Timestamp,
    },
    /// A hook is about to be created.
    Making(MadeHook),
    HookMade {
        number: i64,
        hook_id: u64,
    },
    /// The hook is deleted from the list of created hooks:
    /// it was removed, is to stay, or was never created.
    Forget {
        number: i64,
    },
    /// A person wrote this note on the event, or removed the note.
    Annotated {
        event: EventKey,
        text: Option<String>,
    },
    /// What Podio returned about this subject, as JSON.
    Explained {
        subject: String,
        explanation: String,
    },
    /// The item as Podio returned it last.
    KnownItem {
        item_id: u64,
        known: KnownItem,
    },
}

/// Writes facts inside the writer's transaction and adds the changes to announce.
pub(super) fn write(hands: &mut Hands<'_>, notes: &[Fact]) -> rusqlite::Result<()> {
    for note in notes {
        note.write(hands.transaction, &mut hands.tally)?;
        if let Fact::Incident(incident) = note
            && let Some(through) = gaps::write(hands.transaction, incident, Timestamp::now())?
        {
            hands.changes.push(HistoryChange::Appended { through });
        }
        hands.changes.extend(note.change());
    }
    Ok(())
}

impl Fact {
    /// Returns whether the fact follows from what the history holds, so that a lost one is found
    /// again: by the watch, which continues from the last stored [`Fact::Watched`], or by the gate,
    /// before the event is delivered.
    pub(crate) fn is_derived(&self) -> bool {
        matches!(
            self,
            Self::Watched(_)
                | Self::Duplicate { .. }
                | Self::Missing { .. }
                | Self::MissingAtMost { .. }
                | Self::Late { .. }
                | Self::Hold { .. }
                | Self::Settled(_)
        )
    }

    /// Writes the fact inside the writer's transaction.
    pub(super) fn write(
        &self,
        transaction: &Transaction<'_>,
        tally: &mut Tally,
    ) -> rusqlite::Result<()> {
        let execute = |sql: &str, params: &[&dyn ToSql]| {
            transaction.prepare_cached(sql)?.execute(params).map(drop)
        };
        match self {
            Self::Watched(through) => execute(
                "UPDATE watch_progress SET watched_through = max(watched_through, ?)",
                params![through.0],
            ),
            Self::Verified {
                event,
                hook_id,
                verification,
            } => findings::write_verified(transaction, *event, *hook_id, verification),
            Self::Duplicate { event, duplicate } => execute(
                "UPDATE events SET duplicate_of = ?, duplicate_same_hook = ? WHERE position = ?",
                params![duplicate.of.0, duplicate.same_hook, event.position.0],
            ),
            Self::Missing { event, revisions } => execute(
                "UPDATE events SET missing = nullif(?, 0) WHERE position = ?",
                params![row::id_to_sql(*revisions), event.position.0],
            ),
            Self::MissingAtMost { event, revisions } => execute(
                "UPDATE events SET missing = nullif(?1, 0) WHERE position = ?2 AND missing > ?1",
                params![row::id_to_sql(*revisions), event.position.0],
            ),
            Self::Late { event, after } => execute(
                "UPDATE events SET late = ? WHERE position = ?",
                params![row::id_to_sql(*after), event.position.0],
            ),
            Self::Hold { event, hold } => write_hold(transaction, *event, *hold, tally),
            Self::DeliverHeld => write_deliver_held(transaction, tally),
            Self::Settled(event) => write_settled(transaction, *event, tally),
            Self::Loop(finding) => findings::write_loop(transaction, finding),
            Self::Hook(news) => findings::write_hook(transaction, news),
            Self::Incident(incident) => findings::write_incident(transaction, incident),
            Self::Tunnel { url } => execute(
                "INSERT OR REPLACE INTO tunnel (number, url) VALUES (1, ?)",
                params![url],
            ),
            Self::HoldObject(object) => execute(
                "INSERT OR IGNORE INTO held_objects (object_kind, object_id) VALUES (?, ?)",
                params![object.kind.as_str(), row::id_to_sql(object.id)],
            ),
            Self::ReleaseObject(object) => execute(
                "DELETE FROM held_objects WHERE object_kind = ? AND object_id = ?",
                params![object.kind.as_str(), row::id_to_sql(object.id)],
            ),
            Self::Learned { hook_id, place } => write_place(transaction, *hook_id, place),
            Self::Outage { since, until } => write_outage(transaction, *since, *until),
            Self::Making(hook) => made_hooks::write_making(transaction, hook),
            Self::HookMade { number, hook_id } => execute(
                "UPDATE made_hooks SET hook_id = ? WHERE number = ?",
                params![row::id_to_sql(*hook_id), number],
            ),
            Self::Forget { number } => {
                execute("DELETE FROM made_hooks WHERE number = ?", params![number])
            }
            Self::Annotated { event, text } => execute(
                "UPDATE events SET note = ? WHERE position = ?",
                params![text, event.position.0],
            ),
            Self::Explained {
                subject,
                explanation,
            } => write_explanation(transaction, subject, explanation),
            Self::KnownItem { item_id, known } => known_item::write(transaction, *item_id, known),
        }
    }

    /// Returns the change to announce.
    fn change(&self) -> Option<HistoryChange> {
        let touched = |event: &EventKey| HistoryChange::Touched {
            position: event.position,
            event: event.id,
        };
        match self {
            Self::Verified {
                event,
                hook_id,
                verification,
            } => Some(HistoryChange::Verified {
                position: event.position,
                event: event.id,
                hook_id: *hook_id,
                verification: verification.clone(),
            }),
            Self::Duplicate { event, .. }
            | Self::Missing { event, .. }
            | Self::MissingAtMost { event, .. }
            | Self::Late { event, .. }
            | Self::Hold { event, .. }
            | Self::Settled(event)
            | Self::Annotated { event, .. } => Some(touched(event)),
            Self::Loop(finding) => Some(HistoryChange::Loop(Box::new(finding.clone()))),
            Self::Hook(news) => Some(HistoryChange::Hook(Box::new(news.clone()))),
            Self::Incident(incident) => Some(HistoryChange::Incident(incident.clone())),
            Self::HoldObject(object) => Some(HistoryChange::Held(*object)),
            Self::ReleaseObject(object) => Some(HistoryChange::Released(*object)),
            Self::Learned { .. } | Self::KnownItem { .. } | Self::Explained { .. } => {
                Some(HistoryChange::Named)
            }
            Self::DeliverHeld => Some(HistoryChange::Elsewhere),
            Self::Watched(_)
            | Self::Tunnel { .. }
            | Self::Outage { .. }
            | Self::Making(_)
            | Self::HookMade { .. }
            | Self::Forget { .. } => None,
        }
    }
}

fn write_hold(
    transaction: &Transaction<'_>,
    event: EventKey,
    hold: HoldReason,
    tally: &mut Tally,
) -> rusqlite::Result<()> {
    let changed = transaction
        .prepare_cached("UPDATE events SET state = ?, hold = ? WHERE position = ? AND state = 0")?
        .execute(params![
            row::state_to_sql(DeliveryState::Held),
            row::hold_to_sql(hold),
            event.position.0
        ])?;
    tally.pending = tally.pending.saturating_sub(changed as u64);
    Ok(())
}

fn write_deliver_held(transaction: &Transaction<'_>, tally: &mut Tally) -> rusqlite::Result<()> {
    let changed = transaction
        .prepare_cached(
            "UPDATE events SET state = 0, hold = NULL WHERE state = ? AND attempts = 0 \
             AND seq IS NOT NULL AND (hold IS NULL OR hold = ?)",
        )?
        .execute(params![
            row::state_to_sql(DeliveryState::Held),
            row::hold_to_sql(HoldReason::NoRoute)
        ])?;
    tally.pending += changed as u64;
    Ok(())
}

fn write_settled(
    transaction: &Transaction<'_>,
    event: EventKey,
    tally: &mut Tally,
) -> rusqlite::Result<()> {
    let changed = transaction
        .prepare_cached("UPDATE events SET state = ? WHERE position = ? AND state = 0")?
        .execute(params![
            row::state_to_sql(DeliveryState::Delivered),
            event.position.0
        ])?;
    tally.pending = tally.pending.saturating_sub(changed as u64);
    Ok(())
}

/// Stores the place of a hook. A known name stays until there is another one.
fn write_place(transaction: &Transaction<'_>, hook_id: u64, place: &Place) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO hooks (hook_id, ref_type, ref_id, name) VALUES (?, ?, ?, ?) \
             ON CONFLICT (hook_id) DO UPDATE SET ref_type = excluded.ref_type, \
             ref_id = excluded.ref_id, name = coalesce(excluded.name, name)",
        )?
        .execute(params![
            row::id_to_sql(hook_id),
            place.at.ref_type.as_str(),
            row::id_to_sql(place.at.ref_id),
            place.name
        ])
        .map(drop)
}

fn write_outage(
    transaction: &Transaction<'_>,
    since: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO outages (since, until) VALUES (?, ?)")?
        .execute([since.as_millisecond(), until.as_millisecond()])?;
    transaction
        .prepare_cached(
            "DELETE FROM outages WHERE since <= \
             (SELECT since FROM outages ORDER BY since DESC LIMIT 1 OFFSET ?)",
        )?
        .execute([MAX_OUTAGES])
        .map(drop)
}

fn write_explanation(
    transaction: &Transaction<'_>,
    subject: &str,
    explanation: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO explanations (subject, explanation) VALUES (?, ?)")?
        .execute([subject, explanation])?;
    transaction
        .prepare_cached(
            "DELETE FROM explanations WHERE number <= \
             (SELECT number FROM explanations ORDER BY number DESC LIMIT 1 OFFSET ?)",
        )?
        .execute([MAX_EXPLANATIONS])
        .map(drop)
}
