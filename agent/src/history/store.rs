//! Changes the tables for each kind of write, inside the writer's transaction.

use rusqlite::{OptionalExtension, Transaction, named_params, params};

use super::answered;
use super::change::HistoryChange;
use super::event::{Attempt, DeliveryState, Outcome};
use super::job::Hands;
use super::position::Position;
use super::row;
use super::same_key::same_key;
use super::tally;
use super::write::{AppendCounts, NewAttempt, NewEvent};

/// Appends events in order. An event that is already stored stays as it is (invariant 1: exactly
/// once, even if the relay sends it again). The first `offered` events were offered to delivery.
pub(super) fn append(
    hands: &mut Hands<'_>,
    events: &[NewEvent],
    offered: usize,
) -> rusqlite::Result<AppendCounts> {
    let mut new = 0;
    for (number, event) in events.iter().enumerate() {
        new += usize::from(insert(hands, event, number < offered)?.is_some());
    }
    hands.bursts.write(hands.transaction)?;
    Ok(AppendCounts {
        new,
        known: events.len() - new,
    })
}

/// Appends one event; returns its position, or `None` if it is already stored. The caller writes
/// the bursts that grow, once for all events.
pub(super) fn insert(
    hands: &mut Hands<'_>,
    event: &NewEvent,
    is_offered: bool,
) -> rusqlite::Result<Option<Position>> {
    let transaction = hands.transaction;
    if let Some(committed) = hands.committed.as_mut().filter(|_| hands.new == 0) {
        committed.after = tally::newest(transaction)?;
    }
    let request = &event.request;
    let podio = row::decode(&request.headers, &request.body);
    let podio = podio.as_ref();
    let object = podio.and_then(podtap_podio::PodioEvent::object);
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO events (id, seq, received_at, method, path, event_type, object_kind, \
             object_id, hook_id, revision, same_key, body_bytes, state) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            event.id.to_bytes(),
            event.seq.map(|seq| row::id_to_sql(seq.0)),
            request.received_at.as_millisecond(),
            request.method,
            request.path,
            podio.map(|podio| podio.kind.as_str()),
            object.map(|object| object.kind.as_str()),
            object.map(|object| row::id_to_sql(object.id)),
            podio.and_then(|podio| podio.hook_id).map(row::id_to_sql),
            podio
                .and_then(podtap_podio::PodioEvent::revision)
                .map(row::id_to_sql),
            podio.and_then(same_key),
            request.body.len(),
            row::state_to_sql(event.state),
        ])?;
    if inserted == 0 {
        return Ok(None);
    }
    let position = transaction.last_insert_rowid();
    transaction
        .prepare_cached("INSERT INTO requests (position, peer, headers, body) VALUES (?, ?, ?, ?)")?
        .execute(params![
            position,
            request.peer.map(|peer| peer.to_string()),
            row::to_json(&request.headers)?,
            &request.body[..],
        ])?;
    let kind = podio.map(|podio| (podio.kind.as_str(), podio.hook_id));
    let at = request.received_at.as_millisecond();
    hands.bursts.add(transaction, position, kind, at)?;
    let position = Position(position);
    hands.announce_event(position, event, is_offered);
    Ok(Some(position))
}

/// Stores an attempt under the event's next number; returns `None` if the event was deleted.
pub(super) fn record(hands: &mut Hands<'_>, ended: &NewAttempt) -> rusqlite::Result<Option<u32>> {
    let NewAttempt {
        position,
        again,
        others,
        attempt,
    } = ended;
    hands.changes.push(HistoryChange::Touched {
        position: *position,
        event: attempt.event,
    });
    let known = hands
        .transaction
        .prepare_cached("SELECT state, attempts FROM events WHERE position = ?")?
        .query_row([position.0], |found| {
            Ok((found.get("state")?, found.get::<_, u32>("attempts")?))
        })
        .optional()?;
    let Some((before, attempts)) = known else {
        return Ok(None);
    };
    let before = row::state_from_sql(before);
    // A replay does not end the wait of an event: its delivery is still due.
    let waits =
        *again || attempt.replay || !answered::by_all(hands.transaction, *position, others)?;
    let after = match before {
        DeliveryState::Pending if waits => DeliveryState::Pending,
        _ => DeliveryState::Delivered,
    };
    let number = attempts + 1;
    insert_attempt(hands.transaction, *position, attempt, number, after)?;
    if *again {
        answered::mark_again(hands.transaction, *position, number)?;
    }
    if !others.is_empty() {
        answered::show_worst(hands.transaction, *position)?;
    }
    if before == DeliveryState::Pending && after != before {
        hands.tally.pending = hands.tally.pending.saturating_sub(1);
    }
    Ok(Some(number))
}

/// Stores an attempt under this number and sets the event's state.
pub(super) fn insert_attempt(
    transaction: &Transaction<'_>,
    position: Position,
    attempt: &Attempt,
    number: u32,
    after: DeliveryState,
) -> rusqlite::Result<()> {
    let (status, error) = match &attempt.outcome {
        Outcome::Answered { status, .. } => (Some(*status), None),
        Outcome::Failed { error } => (None, Some(error.as_str())),
    };
    let duration = row::micros_to_sql(attempt.duration);
    transaction
        .prepare_cached(
            "UPDATE events SET state = :state, attempts = :number, replays = replays + :replay, \
             last_status = :status, last_error = :error, last_duration_us = :duration, \
             last_replay = :replay WHERE position = :position",
        )?
        .execute(named_params! {
            ":state": row::state_to_sql(after), ":number": number, ":replay": attempt.replay,
            ":status": status, ":error": error, ":duration": duration,
            ":position": position.0,
        })?;
    insert_attempt_row(transaction, position, attempt, number)
}

fn insert_attempt_row(
    transaction: &Transaction<'_>,
    position: Position,
    attempt: &Attempt,
    number: u32,
) -> rusqlite::Result<()> {
    let (status, error, headers, body_bytes, body) = match &attempt.outcome {
        Outcome::Answered {
            status,
            headers,
            body,
            body_bytes,
        } => (
            Some(*status),
            None,
            Some(row::to_json(headers)?),
            Some(*body_bytes),
            Some(&body[..]),
        ),
        Outcome::Failed { error } => (None, Some(error.as_str()), None, None, None),
    };
    let edited_head = match &attempt.edited {
        Some(edited) => Some(row::to_json(&row::EditedHead {
            method: &edited.method,
            path: &edited.path,
            headers: &edited.headers,
        })?),
        None => None,
    };
    transaction
        .prepare_cached(
            "INSERT INTO attempts (position, number, replay, url, started_at, duration_us, \
             status, error, headers, body_bytes, body, edited_head, edited_body, imported, target) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            position.0,
            number,
            attempt.replay,
            attempt.url,
            attempt.started_at.as_millisecond(),
            row::micros_to_sql(attempt.duration),
            status,
            error,
            headers,
            body_bytes,
            body,
            edited_head,
            attempt.edited.as_ref().map(|edited| &edited.body[..]),
            attempt.imported,
            attempt.target,
        ])?;
    Ok(())
}
