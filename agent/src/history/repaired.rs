//! Events that never came and were rebuilt from what Podio tells of their items. They enter without
//! a `seq` and on record only, each once: what came meanwhile is not added beside it.

use std::collections::HashSet;

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_wire::{EventId, WebhookRequest};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::error::HistoryError;
use super::event::DeliveryState;
use super::job::Hands;
use super::row;
use super::store;
use super::watch::WatchReader;
use super::write::NewEvent;

/// What a hook tells of an item: one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub(crate) hook_id: u64,
    pub(crate) event: EventType,
    pub(crate) revision: u64,
}

/// An event that never came.
#[derive(Debug, Clone)]
pub(crate) struct RepairedEvent {
    /// The same for the same event, however often it is rebuilt.
    pub(crate) id: EventId,
    pub(crate) item_id: u64,
    pub(crate) told: Told,
    pub(crate) request: WebhookRequest,
}

/// What is known here of a hook's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeenHook {
    pub(crate) was_active: bool,
    pub(crate) verified_at: Option<Timestamp>,
}

/// Appends those that are still not there.
pub(super) fn append(
    hands: &mut Hands<'_>,
    events: &[RepairedEvent],
) -> rusqlite::Result<Vec<EventId>> {
    let transaction = hands.transaction;
    let mut new = Vec::new();
    for repaired in events {
        if has_come(transaction, repaired)? {
            continue;
        }
        let event = NewEvent {
            id: repaired.id,
            seq: None,
            request: repaired.request.clone(),
            state: DeliveryState::Held,
        };
        if let Some(position) = store::insert(hands, &event, false)? {
            transaction
                .prepare_cached("UPDATE events SET repaired = 1 WHERE position = ?")?
                .execute([position.0])?;
            new.push(repaired.id);
        }
    }
    hands.bursts.write(transaction)?;
    Ok(new)
}

fn has_come(transaction: &Transaction<'_>, event: &RepairedEvent) -> rusqlite::Result<bool> {
    let RepairedEvent { item_id, told, .. } = event;
    transaction
        .prepare_cached(
            "SELECT 1 FROM events WHERE object_id = ? AND object_kind = 'item' AND revision = ? \
             AND hook_id = ? AND event_type = ? AND (seq IS NOT NULL OR repaired = 1)",
        )?
        .exists(params![
            row::id_to_sql(*item_id),
            row::id_to_sql(told.revision),
            row::id_to_sql(told.hook_id),
            told.event.as_str()
        ])
}

impl WatchReader {
    /// What hooks have told of an item, as far as a relay took it or it was repaired.
    pub(crate) async fn told_of(&self, item_id: u64) -> Result<HashSet<Told>, HistoryError> {
        self.read(move |connection| told_of(connection, item_id))
            .await
    }

    /// Whether a hook has ever told of anything here, and when it was verified here first.
    pub(crate) async fn seen_of_hook(&self, hook_id: u64) -> Result<SeenHook, HistoryError> {
        let sql = "SELECT count(*) AS events, min(received_at) FILTER (WHERE verification IN (1, 2)) \
             AS verified FROM events WHERE hook_id = ? AND seq IS NOT NULL \
             AND (event_type != 'hook.verify' OR verification IN (1, 2))";
        self.read(move |connection| {
            connection.query_row(sql, [row::id_to_sql(hook_id)], |found| {
                let verified: Option<i64> = found.get("verified")?;
                Ok(SeenHook {
                    was_active: found.get::<_, i64>("events")? > 0,
                    verified_at: verified.and_then(|at| Timestamp::from_millisecond(at).ok()),
                })
            })
        })
        .await
    }

    /// Since when the history is whole: when its oldest event came, where older ones were removed.
    pub(crate) async fn whole_since(&self) -> Result<Option<Timestamp>, HistoryError> {
        let sql = "SELECT position, received_at FROM events ORDER BY position LIMIT 1";
        self.read(move |connection| {
            let oldest = connection.query_row(sql, [], |found| {
                let position: i64 = found.get("position")?;
                Ok((position, row::timestamp(found, "received_at")?))
            });
            let oldest = oldest.optional()?;
            Ok(oldest
                .filter(|(position, _)| *position > 1)
                .map(|(_, at)| at))
        })
        .await
    }
}

fn told_of(connection: &Connection, item_id: u64) -> rusqlite::Result<HashSet<Told>> {
    let sql = "SELECT hook_id, event_type, revision FROM events WHERE object_id = ? \
         AND object_kind = 'item' AND hook_id IS NOT NULL AND revision IS NOT NULL \
         AND (seq IS NOT NULL OR repaired = 1)";
    let found = row::rows(connection, sql, [row::id_to_sql(item_id)], |found| {
        let event = found.get_ref("event_type")?.as_str_or_null()?;
        let event = event.and_then(|word| word.parse().ok());
        let (hook_id, revision) = (row::id(found, "hook_id")?, row::id(found, "revision")?);
        Ok(hook_id.zip(revision).zip(event))
    })?;
    let told = found.into_iter().flatten();
    Ok(told
        .map(|((hook_id, revision), event)| Told {
            hook_id,
            event,
            revision,
        })
        .collect())
}
