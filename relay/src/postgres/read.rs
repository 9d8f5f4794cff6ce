//! Reads events and depths of queues.

use bytes::Bytes;
use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use tokio_postgres::Row;

use super::{from_sql, to_sql, unavailable};
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::{Depth, Gap, QueueError, ReadLimit, Totals, TunnelId};
use crate::tunnel::registry::time;

/// Selects the oldest events after a sequence number, as many as fit into the byte limit
/// and at least one. `bytes_through` of the first event includes all events before it, so
/// sizes are relative to it.
const EVENTS: &str = "
    SELECT seq, id, received_at, peer, method, path, headers, body FROM podtap_events
    WHERE tunnel = $1 AND seq > $2 AND bytes_through <= $4 + (
        SELECT bytes_through FROM podtap_events
        WHERE tunnel = $1 AND seq > $2 ORDER BY seq LIMIT 1)
    ORDER BY seq LIMIT $3";

pub(super) async fn events(
    database: &Postgres,
    tunnel: TunnelId,
    after: Seq,
    at_most: ReadLimit,
) -> Result<Vec<EventFrame>, QueueError> {
    let bytes = i64::try_from(at_most.bytes).unwrap_or(i64::MAX / 2);
    let count = i64::try_from(at_most.events.max(1)).unwrap_or(i64::MAX);
    let read = async {
        let client = database.client().await?;
        let failed = database.on_error("read events");
        let statement = client.prepare_cached(EVENTS).await.map_err(&failed)?;
        client
            .query(&statement, &[&tunnel.0, &to_sql(after.0), &count, &bytes])
            .await
            .map_err(failed)
    };
    let rows = read.await.map_err(unavailable)?;
    let (mut events, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    for row in &rows {
        if bytes >= at_most.bytes.max(1) {
            break;
        }
        let event = event(row)?;
        bytes += event.request.footprint();
        events.push(event);
    }
    Ok(events)
}

fn event(row: &Row) -> Result<EventFrame, QueueError> {
    let read = || -> Result<EventFrame, Box<dyn std::error::Error + Send + Sync>> {
        let id: &[u8] = row.try_get("id")?;
        let peer: Option<&str> = row.try_get("peer")?;
        let body: &[u8] = row.try_get("body")?;
        Ok(EventFrame {
            seq: Seq(from_sql(row.try_get("seq")?)),
            id: EventId::from_bytes(id.try_into()?),
            request: WebhookRequest {
                received_at: time(row.try_get("received_at")?),
                method: row.try_get("method")?,
                path: row.try_get("path")?,
                headers: serde_json::from_str(row.try_get("headers")?)?,
                peer: peer.map(str::parse).transpose()?,
                body: Bytes::copy_from_slice(body),
            },
        })
    };
    read().map_err(|error| {
        tracing::error!(%error, "an event in the database cannot be understood");
        QueueError::Unavailable
    })
}

pub(super) async fn gaps(database: &Postgres, tunnel: TunnelId) -> Result<Vec<Gap>, QueueError> {
    let read = async {
        let client = database.client().await?;
        client
            .query(
                "SELECT from_seq, to_seq, reason FROM podtap_gaps WHERE tunnel = $1 ORDER BY from_seq",
                &[&tunnel.0],
            )
            .await
            .map_err(database.on_error("read gaps"))
    };
    let rows = read.await.map_err(unavailable)?;
    let gap = |row: &Row| Gap {
        from: Seq(from_sql(row.get("from_seq"))),
        to: Seq(from_sql(row.get("to_seq"))),
        reason: row.get("reason"),
    };
    Ok(rows.iter().map(gap).collect())
}

pub(super) async fn totals(database: &Postgres) -> Result<Totals, QueueError> {
    let read = async {
        let client = database.client().await?;
        client
            .query_one(
                "SELECT coalesce(sum(last_seq - removed_seq), 0)::bigint AS events,
                        coalesce(sum(last_bytes - removed_bytes), 0)::bigint AS bytes
                 FROM podtap_queues",
                &[],
            )
            .await
            .map_err(database.on_error("count what waits"))
    };
    let row = read.await.map_err(unavailable)?;
    Ok(Totals {
        events: from_sql(row.get("events")),
        bytes: from_sql(row.get("bytes")),
    })
}

/// Reads the depths of these queues. Deleted queues are missing in the result.
pub(super) async fn depths(
    database: &Postgres,
    tunnels: &[TunnelId],
) -> Result<Vec<(TunnelId, Depth)>, PostgresError> {
    let ids: Vec<i64> = tunnels.iter().map(|tunnel| tunnel.0).collect();
    let client = database.client().await?;
    let failed = database.on_error("read how queues stand");
    let statement = client.prepare_cached(
        "SELECT tunnel, last_seq, removed_seq, last_bytes - removed_bytes AS bytes
         FROM podtap_queues WHERE tunnel = ANY($1)",
    );
    let statement = statement.await.map_err(&failed)?;
    let rows = client.query(&statement, &[&ids]).await.map_err(failed)?;
    let depth = |row: &Row| {
        let depth = Depth {
            removed: Seq(from_sql(row.get("removed_seq"))),
            last: Seq(from_sql(row.get("last_seq"))),
            bytes: from_sql(row.get("bytes")),
        };
        (TunnelId(row.get("tunnel")), depth)
    };
    Ok(rows.iter().map(depth).collect())
}
