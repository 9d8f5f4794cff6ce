//! Stores events from another history or another tool, with their attempts. They have no `seq` and
//! are never pending, so that they are not delivered, validated or held; see
//! [`Arrival::relayed`](super::watch::Arrival).

use podtap_wire::{EventId, WebhookRequest};
use rusqlite::{OptionalExtension, Transaction, params};

use super::event::{Attempt, DeliveryState};
use super::fact::{Fact, whole_note};
use super::insight::Insight;
use super::job::Hands;
use super::position::EventKey;
use super::position::Position;
use super::row;
use super::store;
use super::write::NewEvent;

/// Maximum number of an imported attempt: replays are numbered after it.
const MAX_NUMBER: u32 = u32::MAX / 2;

/// An event of another history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEvent {
    /// Its id. If an event with this id exists, it stays as it is and gets none of these attempts.
    pub id: EventId,
    /// The request as it arrived.
    pub request: WebhookRequest,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The note that a person wrote on it.
    pub note: Option<String>,
    /// What the other history had found out about it.
    /// It is only shown; nothing is computed from it.
    pub marks: Insight,
}

/// Value of `events.repaired` for an event that another history repaired. It is shown and found
/// like an event that was repaired here, and does not count as an arrival.
const REPAIRED_ELSEWHERE: i64 = 2;

/// An event or attempt from another history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedRecord {
    Event(ImportedEvent),
    /// One more attempt of an event that this import has added.
    Attempt(Attempt),
}

/// Imports the records in order. Returns the events that were new.
pub(super) fn import(
    hands: &mut Hands<'_>,
    past: &[ImportedRecord],
) -> rusqlite::Result<Vec<EventId>> {
    let transaction = hands.transaction;
    let mut new = Vec::new();
    for one in past {
        match one {
            ImportedRecord::Event(ImportedEvent {
                id,
                request,
                attempts,
                note,
                marks,
            }) => {
                let event = NewEvent {
                    id: *id,
                    seq: None,
                    request: request.clone(),
                    state: DeliveryState::Held,
                };
                if let Some(position) = store::insert(hands, &event, false)? {
                    new.push(*id);
                    record(transaction, position, attempts, 0)?;
                    mark(transaction, position, marks)?;
                    let event = EventKey { position, id: *id };
                    if let Some(note) = note.as_deref().and_then(whole_note) {
                        let text = Some(note);
                        Fact::Annotated { event, text }.write(transaction, &mut hands.tally)?;
                    }
                }
            }
            ImportedRecord::Attempt(attempt) => {
                let known = transaction
                    .prepare_cached(
                        "SELECT position, attempts FROM events \
                         WHERE id = ? AND seq IS NULL AND state != 0",
                    )?
                    .query_row([attempt.event.to_bytes()], |found| {
                        Ok((Position(found.get("position")?), found.get("attempts")?))
                    })
                    .optional()?;
                if let Some((position, through)) = known
                    && through < attempt.number
                {
                    record(
                        transaction,
                        position,
                        std::slice::from_ref(attempt),
                        through,
                    )?;
                }
            }
        }
    }
    hands.bursts.write(transaction)?;
    Ok(new)
}

/// Stores what the other history had found out. The position of a duplicate's original is one of
/// that history and is not stored.
fn mark(
    transaction: &Transaction<'_>,
    position: Position,
    marks: &Insight,
) -> rusqlite::Result<()> {
    if *marks == Insight::default() {
        return Ok(());
    }
    let (verification, error) = marks
        .verification
        .as_ref()
        .map(row::verification_to_sql)
        .unzip();
    let duplicate = marks.duplicate.as_ref();
    let missing = Some(marks.missing).filter(|missing| *missing > 0);
    transaction
        .prepare_cached(
            "UPDATE events SET verification = ?, verify_error = ?, duplicate_of = ?, \
             duplicate_same_hook = ?, missing = ?, late = ?, repaired = ? WHERE position = ?",
        )?
        .execute(params![
            verification,
            error.flatten(),
            duplicate.map(|_| Position::default().0),
            duplicate.map(|duplicate| duplicate.same_hook),
            missing.map(row::id_to_sql),
            marks.late.map(row::id_to_sql),
            if marks.repaired {
                REPAIRED_ELSEWHERE
            } else {
                0
            },
            position.0,
        ])?;
    Ok(())
}

/// Records attempts under their numbers, as long as the numbers grow.
fn record(
    transaction: &Transaction<'_>,
    position: Position,
    attempts: &[Attempt],
    mut through: u32,
) -> rusqlite::Result<()> {
    for attempt in attempts {
        through = attempt
            .number
            .min(MAX_NUMBER)
            .max(through.saturating_add(1));
        let attempt = Attempt {
            imported: true,
            ..attempt.clone()
        };
        store::insert_attempt(
            transaction,
            position,
            &attempt,
            through,
            DeliveryState::Delivered,
        )?;
    }
    Ok(())
}
