//! Reads what the agent needs to find something out: events with their neighbours, the calls of a
//! hook, stored findings. It has its own reader, so that a slow search does not delay it.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use podtap_podio::ObjectRef;
use podtap_wire::EventId;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::connection;
use super::error::HistoryError;
use super::finding::LoopFinding;
use super::findings;
use super::insight::Verification;
use super::position::{EventKey, Position};
use super::reader::Reader;
use super::row;
use crate::place::Place;

/// An event as the detectors read it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row of facts that have nothing to do with each other"
)]
pub(crate) struct Arrival {
    pub(crate) event: EventKey,
    /// Whether it came through a relay. Any other event (trigger, import) is only stored: nothing
    /// is validated, held, concluded or looked up because of it.
    pub(crate) relayed: bool,
    /// Whether its webhook never arrived and it was rebuilt from Podio's data.
    pub(crate) repaired: bool,
    pub(crate) received_at: Timestamp,
    pub(crate) event_type: Option<String>,
    pub(crate) object: Option<ObjectRef>,
    pub(crate) hook_id: Option<u64>,
    pub(crate) revision: Option<u64>,
    /// Whether its method is POST, as in Podio's webhooks.
    pub(crate) posted: bool,
    /// The code, if it is a `hook.verify` with one.
    pub(crate) code: Option<String>,
    pub(crate) verification: Option<Verification>,
    /// The first earlier event with the same content that came through a relay or was repaired.
    pub(crate) earlier: Option<EarlierEvent>,
    /// Whether the place of its hook is known.
    pub(crate) known_hook: bool,
    /// Whether its hook is known to be on a field and so does not receive every revision.
    pub(crate) on_field: bool,
    /// The item's next lower revision that came through a relay or was repaired, at any time.
    pub(crate) below: Option<u64>,
    /// The item's next higher revision that came through a relay or was repaired, at any time.
    pub(crate) above: Option<Neighbour>,
    /// The highest revision of the same item that arrived before this lower one.
    pub(crate) newer: Option<u64>,
}

/// An earlier event with the same content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EarlierEvent {
    pub(crate) position: Position,
    pub(crate) hook_id: Option<u64>,
    pub(crate) verification: Option<Verification>,
}

/// The first event that Podio sent for another revision of the same item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) event: EventKey,
    pub(crate) revision: u64,
}

/// A reader for the detectors. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct WatchReader(Reader);

impl WatchReader {
    pub(crate) fn open(path: &Path) -> Result<Self, HistoryError> {
        Reader::open(path, "history-watch").map(Self)
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, HistoryError> {
        self.0.read(query).await
    }

    /// Returns the last event that the watch has read.
    pub(crate) async fn progress(&self) -> Result<Position, HistoryError> {
        let sql = "SELECT watched_through FROM watch_progress";
        self.read(|connection| connection.query_row(sql, [], |row| row.get(0).map(Position)))
            .await
    }

    /// Returns at most `limit` events after `position`, oldest first, and the position of the last
    /// one, even if that event cannot be read.
    pub(crate) async fn arrivals(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<(Vec<Arrival>, Position), HistoryError> {
        self.read(move |connection| next_arrivals(connection, position, limit))
            .await
    }

    /// Returns each `hook.verify` that a relay accepted since `since`, up to `through`, and that
    /// has no outcome yet, newest first, at most `limit`.
    pub(crate) async fn unverified_events(
        &self,
        since: Timestamp,
        through: Position,
        limit: usize,
    ) -> Result<Vec<Arrival>, HistoryError> {
        let condition = "e.event_type = 'hook.verify' AND e.verification IS NULL \
             AND e.seq IS NOT NULL AND e.received_at >= ? AND e.position <= ? ORDER BY e.position DESC LIMIT ?";
        let since = since.as_millisecond();
        self.read(move |connection| {
            arrivals(connection, condition, params![since, through.0, limit])
        })
        .await
    }

    /// Returns the newest loops, newest first.
    pub(crate) async fn loops(&self) -> Result<Vec<LoopFinding>, HistoryError> {
        self.read(findings::loops).await
    }

    /// Returns the last known public URL of the tunnel.
    pub(crate) async fn tunnel_url(&self) -> Result<Option<String>, HistoryError> {
        let sql = "SELECT url FROM tunnel WHERE number = 1";
        self.read(move |connection| connection.query_row(sql, [], |row| row.get(0)).optional())
            .await
    }

    /// Returns the place of a hook.
    pub(crate) async fn place(&self, hook_id: u64) -> Result<Option<Place>, HistoryError> {
        let sql = "SELECT ref_type, ref_id, name AS place_name FROM hooks WHERE hook_id = ?";
        self.read(move |connection| {
            connection
                .prepare_cached(sql)?
                .query_row([row::id_to_sql(hook_id)], row::place)
                .optional()
                .map(Option::flatten)
        })
        .await
    }

    /// Returns the newest outcome of a hook's verifications.
    pub(crate) async fn verification(
        &self,
        hook_id: u64,
    ) -> Result<Option<Verification>, HistoryError> {
        let sql = "SELECT verification, verify_error FROM events \
             WHERE hook_id = ? AND event_type = 'hook.verify' AND verification IS NOT NULL \
             ORDER BY position DESC LIMIT 1";
        self.read(move |connection| {
            connection
                .prepare_cached(sql)?
                .query_row([row::id_to_sql(hook_id)], row::verification)
                .optional()
                .map(Option::flatten)
        })
        .await
    }

    /// Returns Podio's stored answers about these subjects.
    pub(crate) async fn explanations(
        &self,
        subjects: Vec<String>,
    ) -> Result<HashMap<String, String>, HistoryError> {
        let sql = "SELECT explanation FROM explanations WHERE subject = ?";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = HashMap::new();
            for subject in subjects {
                let told = statement.query_row([&subject], |row| row.get(0));
                if let Some(told) = told.optional()? {
                    found.insert(subject, told);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Returns Podio's stored answer about this subject.
    pub(crate) async fn explanation(
        &self,
        subject: String,
    ) -> Result<Option<String>, HistoryError> {
        let sql = "SELECT explanation FROM explanations WHERE subject = ?";
        self.read(move |connection| {
            connection
                .query_row(sql, [subject], |row| row.get(0))
                .optional()
        })
        .await
    }
}

/// Returns the objects whose events are held, in the history at `path`.
pub(crate) fn held_objects(path: &Path) -> Result<Vec<ObjectRef>, HistoryError> {
    let connection = connection::read_only(path)?;
    let sql = "SELECT object_kind, object_id FROM held_objects";
    let found = row::rows(&connection, sql, [], row::object);
    let found = found.map_err(HistoryError::read)?;
    Ok(found.into_iter().flatten().collect())
}

/// Returns the highest event ids, highest first, at most `limit`, in the history at `path`.
pub(super) fn newest_ids(path: &Path, limit: usize) -> Result<Vec<EventId>, HistoryError> {
    let connection = connection::read_only(path)?;
    let sql = "SELECT id FROM events ORDER BY id DESC LIMIT ?";
    let found = row::rows(&connection, sql, [limit], |found| {
        found.get(0).map(EventId::from_bytes)
    });
    found.map_err(HistoryError::read)
}

pub(super) fn next_arrivals(
    connection: &Connection,
    position: Position,
    limit: usize,
) -> rusqlite::Result<(Vec<Arrival>, Position)> {
    let last = "SELECT coalesce(max(position), ?1) FROM \
         (SELECT position FROM events WHERE position > ?1 ORDER BY position LIMIT ?2)";
    let last: i64 = connection
        .prepare_cached(last)?
        .query_row(params![position.0, limit], |row| row.get(0))?;
    let found = arrivals(
        connection,
        "e.position > ? AND e.position <= ? ORDER BY e.position",
        params![position.0, last],
    )?;
    Ok((found, Position(last)))
}

fn arrivals(
    connection: &Connection,
    condition: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<Arrival>> {
    let with_hook = row::WITH_HOOK;
    let sql = format!(
        "SELECT e.position, e.id, e.received_at, e.event_type, e.object_kind, e.object_id, \
         e.hook_id, e.revision, e.verification, e.verify_error, h.ref_type IS 'app_field' AS on_field, \
         CASE WHEN e.event_type = 'hook.verify' \
         THEN (SELECT body FROM requests WHERE position = e.position) END AS body, \
         (SELECT min(d.position) FROM events AS d \
          WHERE d.object_id IS e.object_id AND d.revision IS e.revision AND d.same_key = e.same_key \
          AND d.position < e.position AND (d.seq IS NOT NULL OR d.repaired = 1)) AS earlier, \
         h.hook_id IS NOT NULL AS known_hook, e.seq IS NOT NULL AS relayed, e.repaired, e.method = 'POST' AS posted \
         FROM events AS e {with_hook} WHERE {condition}"
    );
    row::rows(connection, &sql, params, |found| arrival(connection, found))
}

fn arrival(connection: &Connection, found: &Row<'_>) -> rusqlite::Result<Arrival> {
    let object = row::object(found)?;
    let revision = row::id(found, "revision")?;
    let body = found.get_ref("body")?.as_blob_or_null()?;
    let earlier = match found.get("earlier")? {
        Some(position) => Some(earlier(connection, position)?),
        None => None,
    };
    let (below, above) = match (object, revision) {
        (Some(item), Some(revision)) => neighbours(connection, item, revision)?,
        _ => (None, None),
    };
    let newer = match (object, revision, above) {
        // Without a higher revision, none can have arrived before.
        (Some(item), Some(revision), Some(_)) => {
            newer_before(connection, item, revision, found.get("position")?)?
        }
        _ => None,
    };
    Ok(Arrival {
        event: event_key(found)?,
        relayed: found.get("relayed")?,
        repaired: found.get("repaired")?,
        received_at: row::timestamp(found, "received_at")?,
        event_type: found.get("event_type")?,
        object,
        hook_id: row::id(found, "hook_id")?,
        revision,
        posted: found.get("posted")?,
        code: body.and_then(code),
        verification: row::verification(found)?,
        earlier,
        known_hook: found.get("known_hook")?,
        on_field: found.get("on_field")?,
        below,
        above,
        newer,
    })
}

fn code(body: &[u8]) -> Option<String> {
    podtap_podio::params(body)
        .find(|(name, _)| name == "code")
        .map(|(_, value)| value.into_owned())
}

fn earlier(connection: &Connection, position: i64) -> rusqlite::Result<EarlierEvent> {
    let sql = "SELECT hook_id, verification, verify_error FROM events WHERE position = ?";
    connection
        .prepare_cached(sql)?
        .query_row([position], |found| {
            Ok(EarlierEvent {
                position: Position(position),
                hook_id: row::id(found, "hook_id")?,
                verification: row::verification(found)?,
            })
        })
}

/// Returns the revisions of an item next to this one, among all that came through a relay or were
/// repaired. Revisions of 2^63 and more, which do not occur, sort before the others.
fn neighbours(
    connection: &Connection,
    item: ObjectRef,
    revision: u64,
) -> rusqlite::Result<(Option<u64>, Option<Neighbour>)> {
    let key = params![
        row::id_to_sql(item.id),
        row::id_to_sql(revision),
        item.kind.as_str()
    ];
    let below = connection
        .prepare_cached(
            "SELECT revision FROM events WHERE object_id = ?1 AND revision < ?2 \
             AND object_kind = ?3 AND (seq IS NOT NULL OR repaired = 1) \
             ORDER BY revision DESC LIMIT 1",
        )?
        .query_row(key, |found| found.get(0).map(row::id_from_sql))
        .optional()?;
    let above = connection
        .prepare_cached(
            "SELECT min(position) AS position, id, revision FROM events \
             WHERE object_id = ?1 AND object_kind = ?3 AND (seq IS NOT NULL OR repaired = 1) \
             AND revision = (SELECT revision FROM events \
             WHERE object_id = ?1 AND revision > ?2 AND object_kind = ?3 \
             AND (seq IS NOT NULL OR repaired = 1) ORDER BY revision LIMIT 1) \
             GROUP BY revision",
        )?
        .query_row(key, |found| {
            Ok(Neighbour {
                event: event_key(found)?,
                revision: row::id_from_sql(found.get("revision")?),
            })
        })
        .optional()?;
    Ok((below, above))
}

/// Returns the highest revision of an item above this one that arrived before this position.
fn newer_before(
    connection: &Connection,
    item: ObjectRef,
    revision: u64,
    position: i64,
) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT revision FROM events WHERE object_id = ? AND revision > ? \
         AND object_kind = ? AND seq IS NOT NULL AND position < ? ORDER BY revision DESC LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row(
            params![
                row::id_to_sql(item.id),
                row::id_to_sql(revision),
                item.kind.as_str(),
                position
            ],
            |found| found.get(0).map(row::id_from_sql),
        )
        .optional()
}

fn event_key(row: &Row<'_>) -> rusqlite::Result<EventKey> {
    Ok(EventKey {
        position: Position(row.get("position")?),
        id: EventId::from_bytes(row.get("id")?),
    })
}
