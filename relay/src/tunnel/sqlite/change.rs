//! Lists tunnels, gives them new keys and deletes them, for a running relay and for a
//! command line beside it.

use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};

use crate::database::ENDS;
use crate::queue::TunnelId;
use crate::tunnel::info::{AgentConnection, RotatedKey, TunnelInfo};
use crate::tunnel::registry::{end_of_grace, time};

/// Lists the tunnels of an owner, or of all owners, by owner and name.
pub(super) fn list(
    connection: &Connection,
    owner: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<Vec<TunnelInfo>> {
    connection
        .prepare_cached(&format!(
            "SELECT tunnels.id, owner, name, key, created_at, last_seq - removed_seq AS backlog,
                    last_bytes - removed_bytes AS backlog_bytes, last_at,
                    (SELECT received_at FROM events
                     WHERE events.tunnel = tunnels.id AND seq > removed_seq
                     ORDER BY seq LIMIT 1) AS oldest_at,
                    (SELECT max(until) FROM old_keys
                     WHERE old_keys.tunnel = tunnels.id AND until > ?2) AS old_key_until,
                    sessions.since, sessions.host, sessions.peer
             FROM tunnels JOIN {ENDS} AS ends ON ends.tunnel = tunnels.id
             LEFT JOIN sessions ON sessions.tunnel = tunnels.id
             WHERE ?1 IS NULL OR owner = ?1 ORDER BY owner, name"
        ))?
        .query_map((owner, now.as_millisecond()), info)?
        .collect()
}

/// Gives a tunnel a new key. The old key works for `grace` longer. Returns `None` if the
/// tunnel does not exist.
pub(super) fn rotate(
    connection: &Connection,
    owner: &str,
    name: &TunnelName,
    fresh: TunnelKey,
    grace: Duration,
) -> rusqlite::Result<Option<RotatedKey>> {
    let now = Timestamp::now();
    let until = end_of_grace(now, grace);
    let connection = immediate(connection)?;
    let Some((tunnel, old)) = connection
        .query_row(
            "SELECT id, key FROM tunnels WHERE owner = ?1 AND name = ?2",
            (owner, name.as_str()),
            |row| Ok((row.get::<_, i64>("id")?, row.get::<_, [u8; 16]>("key")?)),
        )
        .optional()?
    else {
        return Ok(None);
    };
    // Without a grace period, the old key and all earlier keys stop working at once: they may
    // have leaked.
    let ended = if until.is_some() { now } else { Timestamp::MAX };
    connection.execute(
        "DELETE FROM old_keys WHERE tunnel = ?1 AND until <= ?2",
        (tunnel, ended.as_millisecond()),
    )?;
    if let Some(until) = until {
        connection.execute(
            "INSERT INTO old_keys (key, tunnel, until) VALUES (?1, ?2, ?3)",
            (old, tunnel, until.as_millisecond()),
        )?;
    }
    connection.execute(
        "UPDATE tunnels SET key = ?2 WHERE id = ?1",
        (tunnel, fresh.to_bytes()),
    )?;
    connection.commit()?;
    Ok(Some(RotatedKey {
        key: fresh,
        old_key_until: until,
    }))
}

/// Deletes a tunnel with its queued events. Returns whether it existed.
pub(super) fn delete(
    connection: &Connection,
    owner: &str,
    name: &TunnelName,
) -> rusqlite::Result<bool> {
    let deleted = connection
        .query_row(
            "DELETE FROM tunnels WHERE owner = ?1 AND name = ?2 RETURNING id",
            (owner, name.as_str()),
            |row| row.get::<_, i64>(0),
        )
        .optional()?;
    Ok(deleted.is_some())
}

fn info(row: &Row<'_>) -> rusqlite::Result<TunnelInfo> {
    let since: Option<i64> = row.get("since")?;
    let connected = match since {
        Some(since) => Some(AgentConnection {
            since: time(since),
            host: row.get("host")?,
            peer: row.get("peer")?,
        }),
        None => None,
    };
    Ok(TunnelInfo {
        id: TunnelId(row.get("id")?),
        owner: row.get("owner")?,
        name: name(row)?,
        key: TunnelKey::from_bytes(row.get("key")?),
        created_at: time(row.get("created_at")?),
        backlog: row.get("backlog")?,
        backlog_bytes: row.get("backlog_bytes")?,
        oldest_waiting_at: row.get::<_, Option<i64>>("oldest_at")?.map(time),
        last_event_at: row.get::<_, Option<i64>>("last_at")?.map(time),
        old_key_until: row.get::<_, Option<i64>>("old_key_until")?.map(time),
        // A running relay counts refusals in memory.
        refused: Vec::new(),
        connected,
    })
}

/// Returns the tunnel's name from the column `name`.
pub(super) fn name(row: &Row<'_>) -> rusqlite::Result<TunnelName> {
    let column = row.as_ref().column_index("name")?;
    row.get::<_, String>(column)?.parse().map_err(|error| {
        let text = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, text, Box::new(error))
    })
}

/// Starts a transaction that may write from the beginning. One that reads first may fail if
/// another process has written meanwhile.
pub(super) fn immediate(connection: &Connection) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
}
