//! Stores events whose webhooks never arrived and that were rebuilt from
//! Podio's data about their items. They have no `seq` and are not
//! delivered. An event that arrived in the meantime is not stored again.

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

/// One event that a hook sent about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReportedChange {
    pub(crate) hook_id: u64,
    pub(crate) event: EventType,
    pub(crate) revision: u64,
}

/// A rebuilt event whose webhook never arrived.
#[derive(Debug, Clone)]
pub(crate) struct RepairedEvent {
    /// The same id each time the same event is rebuilt.
    pub(crate) id: EventId,
    pub(crate) item_id: u64,
    pub(crate) told: ReportedChange,
    pub(crate) request: WebhookRequest,
}

/// What the history knows about a hook's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeenHook {
    pub(crate) was_active: bool,
    pub(crate) verified_at: Option<Timestamp>,
}

/// Appends the events that are still missing.
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
    /// Returns the events that hooks sent about an item
    /// and that came through a relay or were repaired.
    pub(crate) async fn told_of(
        &self,
        item_id: u64,
    ) -> Result<HashSet<ReportedChange>, HistoryError> {
        self.read(move |connection| told_of(connection, item_id))
            .await
    }

    /// Returns whether a hook has ever sent an event here, and when it was first verified here.
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

    /// Returns since when the history is complete: the time
    /// of its oldest event if older ones were removed.
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

fn told_of(connection: &Connection, item_id: u64) -> rusqlite::Result<HashSet<ReportedChange>> {
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
        .map(|((hook_id, revision), event)| ReportedChange {
            hook_id,
            event,
            revision,
        })
        .collect())
}
