//! What comes from another history or another tool: events with what came of them there. They
//! enter without a `seq` and never as pending, so that nothing is delivered, validated or held
//! because of them; see [`Arrival::relayed`](super::watch::Arrival).

use podtap_wire::{EventId, WebhookRequest};
use rusqlite::{OptionalExtension, Transaction};

use super::burst::Bursts;
use super::event::{Attempt, DeliveryState, Position};
use super::note::{EventKey, Note, whole_note};
use super::store;
use super::write::{NewAttempt, NewEvent, Tally};

/// The highest number that an attempt keeps: replays count on from there.
const MAX_NUMBER: u32 = u32::MAX / 2;

/// An event of another history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastEvent {
    /// Its identity: an event that is known stays as it is, and gets none of these attempts.
    pub id: EventId,
    /// The request as it came in.
    pub request: WebhookRequest,
    /// What came of it, oldest first.
    pub attempts: Vec<Attempt>,
    /// What a person wrote on it.
    pub note: Option<String>,
}

/// Something to be taken over from another history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// An event.
    Event(PastEvent),
    /// One more attempt of an event that this same import has added.
    Attempt(Attempt),
}

/// Takes all of it over, in order; the events that were new.
pub(super) fn import(
    transaction: &Transaction<'_>,
    past: &[Past],
    bursts: &mut Bursts,
    tally: &mut Tally,
) -> rusqlite::Result<Vec<EventId>> {
    let mut new = Vec::new();
    for one in past {
        match one {
            Past::Event(PastEvent {
                id,
                request,
                attempts,
                note,
            }) => {
                let event = NewEvent {
                    id: *id,
                    seq: None,
                    request: request.clone(),
                    state: DeliveryState::Held,
                };
                if let Some(position) = store::insert(transaction, &event, bursts, tally)? {
                    new.push(*id);
                    record(transaction, position, attempts, 0)?;
                    let event = EventKey { position, id: *id };
                    if let Some(note) = note.as_deref().and_then(whole_note) {
                        let text = Some(note);
                        Note::Annotated { event, text }.write(transaction, tally)?;
                    }
                }
            }
            Past::Attempt(attempt) => {
                let known = transaction
                    .prepare_cached(
                        "SELECT position, attempts FROM events \
                         WHERE id = ? AND seq IS NULL AND state != 0",
                    )?
                    .query_row([attempt.event.to_bytes()], |found| {
                        Ok((Position(found.get(0)?), found.get(1)?))
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
    bursts.write(transaction)?;
    Ok(new)
}

/// Records attempts under the numbers that they have, as far as those grow.
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
        let Attempt {
            event,
            replay,
            url,
            edited,
            started_at,
            duration,
            outcome,
            ..
        } = attempt.clone();
        let attempt = NewAttempt {
            position,
            event,
            replay,
            again: false,
            imported: true,
            url,
            edited,
            started_at,
            duration,
            outcome,
        };
        store::ended(transaction, &attempt, through, DeliveryState::Delivered)?;
    }
    Ok(())
}
