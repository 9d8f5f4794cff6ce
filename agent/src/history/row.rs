//! Converts rows of the database to the types of readers, and values to columns.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use podtap_podio::{ObjectKind, ObjectRef};
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};
use serde::{Deserialize, Serialize};

use super::event::{
    Attempt, AttemptSummary, DeliveryState, EditedRequest, Event, EventRow, FoundEvent, Outcome,
};
use super::insight::{Duplicate, HoldReason, Insight, Verification};
use super::position::Position;
use crate::decoded;
use crate::place::{Place, PlaceRef};

/// Joins `hooks AS h`, which names the hook of `events AS e`.
pub(super) const WITH_HOOK: &str = "LEFT JOIN hooks AS h ON h.hook_id = e.hook_id";

/// The columns that [`event_row`] reads from `events AS e`, joined [`WITH_HOOK`].
pub(super) const EVENT_ROW: &str = "e.position, e.id, e.received_at, e.method, e.path, \
     e.event_type, e.object_kind, e.object_id, e.revision, e.hook_id, e.body_bytes, e.state, \
     e.last_status, e.last_error, e.last_duration_us, e.last_replay, e.attempts, \
     e.verification, e.verify_error, e.duplicate_of, e.duplicate_same_hook, e.missing, e.late, e.repaired, e.hold, \
     h.ref_type, h.ref_id, h.name AS place_name, e.note";

/// The columns that [`event`] reads from `events AS e JOIN requests AS r`, joined [`WITH_HOOK`].
pub(super) const EVENT: &str = "e.position, e.id, e.seq, e.received_at, e.method, e.path, \
     e.state, e.attempts, r.peer, r.headers, r.body, \
     e.verification, e.verify_error, e.duplicate_of, e.duplicate_same_hook, e.missing, e.late, e.repaired, e.hold, \
     h.ref_type, h.ref_id, h.name AS place_name, e.note";

/// The columns that [`attempt`] reads.
pub(super) const ATTEMPT: &str = "number, replay, url, started_at, duration_us, status, error, \
     headers, body_bytes, body, edited_head, edited_body, imported, target";

/// Returns the readable rows; an unreadable row does not hide the others.
/// [`super::History::damage`] counts the unreadable ones.
pub(super) fn readable<T>(
    found: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<Vec<T>> {
    found
        .filter(|row| !row.as_ref().is_err_and(podtap_disk::is_unreadable_row))
        .collect()
}

/// Returns all readable rows of a query.
pub(super) fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    readable(statement.query_map(params, read)?)
}

/// Returns the row, or `None` if it cannot be read.
pub(super) fn if_readable<T>(found: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match found {
        Err(error) if podtap_disk::is_unreadable_row(&error) => Ok(None),
        found => found.map(Some),
    }
}

pub(super) fn event_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let outcome = match (row.get("last_status")?, row.get("last_error")?) {
        (Some(status), _) => Some(Ok(status)),
        (None, Some(error)) => Some(Err(error)),
        (None, None) => None,
    };
    let last = match outcome {
        Some(outcome) => {
            let (duration, replay) = (
                micros(row.get("last_duration_us")?),
                row.get("last_replay")?,
            );
            Some(AttemptSummary {
                outcome,
                duration,
                replay,
            })
        }
        None => None,
    };
    Ok(EventRow {
        position: Position(row.get("position")?),
        id: EventId::from_bytes(row.get("id")?),
        received_at: timestamp(row, "received_at")?,
        method: row.get("method")?,
        path: row.get("path")?,
        event_type: row.get("event_type")?,
        object: object(row)?,
        revision: id(row, "revision")?,
        hook_id: id(row, "hook_id")?,
        body_bytes: row.get("body_bytes")?,
        state: state_from_sql(row.get("state")?),
        last,
        attempts: row.get("attempts")?,
        insight: insight(row)?,
        note: row.get("note")?,
        burst: None,
    })
}

/// Returns the event and the number of its attempts.
pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<(Event, u32)> {
    let headers: HeaderList = json(row, "headers")?;
    let body = Bytes::from(row.get::<_, Vec<u8>>("body")?);
    let peer = row
        .get_ref("peer")?
        .as_str_or_null()?
        .and_then(|text| text.parse::<IpAddr>().ok());
    let podio = decode(&headers, &body);
    let event = Event {
        position: Position(row.get("position")?),
        id: EventId::from_bytes(row.get("id")?),
        seq: id(row, "seq")?.map(Seq),
        request: WebhookRequest {
            received_at: timestamp(row, "received_at")?,
            method: row.get("method")?,
            path: row.get("path")?,
            headers,
            peer,
            body,
        },
        podio,
        state: state_from_sql(row.get("state")?),
        insight: insight(row)?,
        note: row.get("note")?,
    };
    Ok((event, row.get("attempts")?))
}

/// Returns what was found out about an event.
/// The columns that [`found_event`] reads, of `events AS e`.
pub(super) const FOUND_EVENT: &str = "e.position, e.id, e.received_at";

pub(super) fn found_event(found: &Row<'_>) -> rusqlite::Result<FoundEvent> {
    Ok(FoundEvent {
        position: Position(found.get("position")?),
        id: EventId::from_bytes(found.get("id")?),
        received_at: timestamp(found, "received_at")?,
    })
}

fn insight(row: &Row<'_>) -> rusqlite::Result<Insight> {
    let duplicate = match (row.get("duplicate_of")?, row.get("duplicate_same_hook")?) {
        (Some(of), Some(same_hook)) => Some(Duplicate {
            of: Position(of),
            same_hook,
        }),
        _ => None,
    };
    Ok(Insight {
        verification: verification(row)?,
        duplicate,
        missing: id(row, "missing")?.unwrap_or(0),
        late: id(row, "late")?,
        repaired: row.get("repaired")?,
        hold: hold_from_sql(row.get("hold")?),
        place: place(row)?,
    })
}

/// Returns the place of a hook from `ref_type`, `ref_id` and its name as `place_name`. `None` also
/// if the kind is from a later version and unknown here.
pub(super) fn place(row: &Row<'_>) -> rusqlite::Result<Option<Place>> {
    let ref_type = row.get_ref("ref_type")?.as_str_or_null()?;
    let Some(ref_type) = ref_type.and_then(|word| word.parse().ok()) else {
        return Ok(None);
    };
    let ref_id = id_from_sql(row.get("ref_id")?);
    let name = row.get("place_name")?;
    let at = PlaceRef { ref_type, ref_id };
    Ok(Some(Place { at, name }))
}

pub(super) fn attempt(event: EventId, row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let outcome = match row.get("status")? {
        Some(status) => Outcome::Answered {
            status,
            headers: json(row, "headers")?,
            body_bytes: row.get("body_bytes")?,
            body: Bytes::from(row.get::<_, Vec<u8>>("body")?),
        },
        None => Outcome::Failed {
            error: row.get("error")?,
        },
    };
    let edited = match row.get::<_, Option<Vec<u8>>>("edited_body")? {
        Some(body) => {
            let EditedHead {
                method,
                path,
                headers,
            } = json(row, "edited_head")?;
            Some(EditedRequest {
                method,
                path,
                headers,
                body: Bytes::from(body),
            })
        }
        None => None,
    };
    Ok(Attempt {
        event,
        number: row.get("number")?,
        replay: row.get("replay")?,
        imported: row.get("imported")?,
        url: row.get("url")?,
        target: row.get("target")?,
        edited,
        started_at: timestamp(row, "started_at")?,
        duration: micros(row.get("duration_us")?),
        outcome,
    })
}

/// An edited request without its body, as the column `edited_head` stores it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EditedHead<M = String, H = HeaderList> {
    pub(super) method: M,
    pub(super) path: M,
    pub(super) headers: H,
}

/// Returns a body in readable form, decompressed as far as possible according to its stored
/// headers. Most bodies are not compressed, and their headers need not be parsed.
pub(super) fn readable_body<'a>(headers: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    const NAME: &[u8] = b"content-encoding";
    let mut names = headers.as_bytes().windows(NAME.len());
    if !names.any(|name| name.eq_ignore_ascii_case(NAME)) {
        return body.into();
    }
    match serde_json::from_str(headers) {
        Ok(headers) => decoded::unpack(&headers, body).bytes,
        Err(_) => body.into(),
    }
}

/// Decodes the event of a webhook; `None` if it is not an event of Podio.
pub(crate) fn decode(headers: &HeaderList, body: &[u8]) -> Option<podtap_podio::PodioEvent> {
    let content_type = match headers.get("content-type") {
        Some(value) => Some(std::str::from_utf8(value).ok()?),
        None => None,
    };
    let unpacked = decoded::unpack(headers, body);
    if !unpacked.is_whole() {
        return None;
    }
    podtap_podio::decode(content_type, &unpacked.bytes).ok()
}

/// Converts an id: SQLite's integers are signed, and ids use all 64 bits.
pub(super) const fn id_to_sql(id: u64) -> i64 {
    id.cast_signed()
}

pub(super) const fn id_from_sql(id: i64) -> u64 {
    id.cast_unsigned()
}

/// Converts a state. The numbers are part of the file's format; an index uses `0`, too.
pub(super) const fn state_to_sql(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Pending => 0,
        DeliveryState::Delivered => 1,
        DeliveryState::Held => 2,
    }
}

pub(super) const fn state_from_sql(state: i64) -> DeliveryState {
    match state {
        0 => DeliveryState::Pending,
        1 => DeliveryState::Delivered,
        _ => DeliveryState::Held,
    }
}

/// Converts an outcome. The numbers are part of the file's format.
pub(super) fn verification_to_sql(verification: &Verification) -> (i64, Option<&str>) {
    match verification {
        Verification::Failed { reason } => (0, Some(reason)),
        Verification::Validated => (1, None),
        Verification::ActiveAnyway => (2, None),
    }
}

pub(super) fn verification_from_sql(outcome: i64, error: Option<String>) -> Verification {
    match outcome {
        1 => Verification::Validated,
        2 => Verification::ActiveAnyway,
        _ => Verification::Failed {
            reason: error.unwrap_or_default(),
        },
    }
}

/// Returns the outcome of a verification from `verification` and `verify_error`.
pub(super) fn verification(row: &Row<'_>) -> rusqlite::Result<Option<Verification>> {
    Ok(match row.get("verification")? {
        Some(outcome) => Some(verification_from_sql(outcome, row.get("verify_error")?)),
        None => None,
    })
}

/// Converts a reason. The numbers are part of the file's format.
pub(super) const fn hold_to_sql(hold: HoldReason) -> i64 {
    match hold {
        HoldReason::Loop => 1,
        HoldReason::Verify => 2,
        HoldReason::NoRoute => 3,
    }
}

const fn hold_from_sql(hold: Option<i64>) -> Option<HoldReason> {
    match hold {
        Some(1) => Some(HoldReason::Loop),
        Some(2) => Some(HoldReason::Verify),
        Some(3) => Some(HoldReason::NoRoute),
        _ => None,
    }
}

pub(super) fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

pub(super) fn micros_to_sql(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn micros(micros: i64) -> Duration {
    Duration::from_micros(micros.cast_unsigned())
}

/// Returns the first and the last event id with this
/// prefix, which is at most 26 characters of a ULID.
pub(super) fn ids_beginning(prefix: &str) -> ([u8; 16], [u8; 16]) {
    let filled = |fill: &str| {
        let text = format!(
            "{prefix}{}",
            fill.repeat(26_usize.saturating_sub(prefix.len()))
        );
        text.parse::<EventId>()
            .map_or([0xff; 16], EventId::to_bytes)
    };
    (filled("0"), filled("Z"))
}

/// Returns the object of an event from `object_kind` and `object_id`.
pub(super) fn object(row: &Row<'_>) -> rusqlite::Result<Option<ObjectRef>> {
    let kind = row.get_ref("object_kind")?.as_str_or_null()?;
    Ok(
        match (kind.and_then(ObjectKind::from_word), id(row, "object_id")?) {
            (Some(kind), Some(id)) => Some(ObjectRef { kind, id }),
            _ => None,
        },
    )
}

/// Reads a number that uses all 64 bits.
pub(super) fn id(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(id_from_sql))
}

pub(super) fn timestamp(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|e| unreadable(row, column, e.into()))
}

pub(super) fn json<T: for<'de> Deserialize<'de>>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?)
        .map_err(|e| unreadable(row, column, e.into()))
}

fn unreadable(
    row: &Row<'_>,
    column: &str,
    source: Box<dyn std::error::Error + Send + Sync>,
) -> rusqlite::Error {
    let column = row.as_ref().column_index(column).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, source)
}
