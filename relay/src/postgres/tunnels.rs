//! Lists tunnels and changes their keys.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::manage::RefusedWebhooks;
use podtap_wire::{TunnelKey, TunnelName};
use tokio_postgres::{Client, Error, Row};

use super::from_sql;
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::TunnelId;
use crate::tunnel::registry::{end_of_grace, time};
use crate::tunnel::{AgentConnection, RotatedKey, TunnelInfo};

/// Lists the tunnels of an owner, or of all owners, by owner and name.
pub(super) async fn list(
    database: &Postgres,
    owner: Option<String>,
) -> Result<Vec<TunnelInfo>, PostgresError> {
    let client = database.client().await?;
    let now = Timestamp::now().as_millisecond();
    let rows = client
        .query(
            "SELECT t.id, t.owner, t.name, t.key, t.created_at, q.last_at,
                    q.last_seq - q.removed_seq AS backlog,
                    q.last_bytes - q.removed_bytes AS backlog_bytes,
                    (SELECT e.received_at FROM podtap_events AS e
                     WHERE e.tunnel = t.id AND e.seq > q.removed_seq
                     ORDER BY e.seq LIMIT 1) AS oldest_at,
                    (SELECT max(until) FROM podtap_old_keys AS o
                     WHERE o.tunnel = t.id AND until > $2) AS old_key_until,
                    s.since, s.host, s.peer
             FROM podtap_tunnels AS t JOIN podtap_queues AS q ON q.tunnel = t.id
             LEFT JOIN (SELECT s.* FROM podtap_sessions AS s
                        JOIN podtap_relays AS r ON r.id = s.relay
                        WHERE r.seen_at > clock_timestamp() - interval '10 seconds') AS s
                 ON s.tunnel = t.id
             WHERE $1::text IS NULL OR t.owner = $1
             ORDER BY t.owner COLLATE \"C\", t.name COLLATE \"C\"",
            &[&owner, &now],
        )
        .await
        .map_err(database.on_error("list the tunnels"))?;
    let mut refused = load_refusals(&client, owner.as_deref())
        .await
        .map_err(database.on_error("list what was refused"))?;
    let infos = rows.iter().filter_map(info);
    let with_refused = infos.map(|info| TunnelInfo {
        refused: refused.remove(&info.id).unwrap_or_default(),
        ..info
    });
    Ok(with_refused.collect())
}

/// Returns how many webhooks all relays have refused, by reason.
async fn load_refusals(
    client: &Client,
    owner: Option<&str>,
) -> Result<HashMap<TunnelId, Vec<RefusedWebhooks>>, Error> {
    let rows = client
        .query(
            "SELECT r.tunnel, (array_agg(r.reason ORDER BY r.last_at DESC))[1] AS reason,
                    sum(r.count)::bigint AS count, max(r.last_at) AS last_at
             FROM podtap_refused_totals AS r JOIN podtap_tunnels AS t ON t.id = r.tunnel
             WHERE $1::text IS NULL OR t.owner = $1
             GROUP BY r.tunnel, r.kind ORDER BY r.tunnel, r.kind",
            &[&owner],
        )
        .await?;
    let mut refused: HashMap<TunnelId, Vec<RefusedWebhooks>> = HashMap::new();
    for row in rows {
        let tunnel = TunnelId(row.get("tunnel"));
        refused.entry(tunnel).or_default().push(RefusedWebhooks {
            count: from_sql(row.get("count")),
            reason: row.get("reason"),
            last_at: time(row.get("last_at")),
        });
    }
    Ok(refused)
}

/// Gives a tunnel a new key. The old key works for `grace` longer. Returns `None` if the
/// tunnel does not exist.
pub(super) async fn rotate(
    database: &Postgres,
    owner: &str,
    name: &TunnelName,
    fresh: TunnelKey,
    grace: Duration,
) -> Result<Option<RotatedKey>, PostgresError> {
    let failed = database.on_error("give a tunnel a new key");
    let now = Timestamp::now();
    let until = end_of_grace(now, grace);
    let mut client = database.client().await?;
    let transaction = client.transaction().await.map_err(&failed)?;
    let found = transaction
        .query_opt(
            "SELECT id, key FROM podtap_tunnels WHERE owner = $1 AND name = $2 FOR UPDATE",
            &[&owner, &name.as_str()],
        )
        .await
        .map_err(&failed)?;
    let Some(found) = found else {
        return Ok(None);
    };
    let (tunnel, old): (i64, Vec<u8>) = (found.get("id"), found.get("key"));
    // Without a grace period, the old key and all earlier keys stop working at once: they may
    // have leaked.
    let ended = if until.is_some() { now } else { Timestamp::MAX };
    transaction
        .execute(
            "DELETE FROM podtap_old_keys WHERE tunnel = $1 AND until <= $2",
            &[&tunnel, &ended.as_millisecond()],
        )
        .await
        .map_err(&failed)?;
    if let Some(until) = until {
        transaction
            .execute(
                "INSERT INTO podtap_old_keys (key, tunnel, until) VALUES ($1, $2, $3)",
                &[&old, &tunnel, &until.as_millisecond()],
            )
            .await
            .map_err(&failed)?;
    }
    transaction
        .execute(
            "UPDATE podtap_tunnels SET key = $2 WHERE id = $1",
            &[&tunnel, &fresh.to_bytes().to_vec()],
        )
        .await
        .map_err(&failed)?;
    transaction.commit().await.map_err(&failed)?;
    Ok(Some(RotatedKey {
        key: fresh,
        old_key_until: until,
    }))
}

fn info(row: &Row) -> Option<TunnelInfo> {
    let since: Option<i64> = row.get("since");
    Some(TunnelInfo {
        id: TunnelId(row.get("id")),
        owner: row.get("owner"),
        name: name(row)?,
        key: tunnel_key(row, "key"),
        created_at: time(row.get("created_at")),
        backlog: from_sql(row.get("backlog")),
        backlog_bytes: from_sql(row.get("backlog_bytes")),
        oldest_waiting_at: row.get::<_, Option<i64>>("oldest_at").map(time),
        last_event_at: row.get::<_, Option<i64>>("last_at").map(time),
        old_key_until: row.get::<_, Option<i64>>("old_key_until").map(time),
        refused: Vec::new(),
        connected: since.map(|since| AgentConnection {
            since: time(since),
            host: row.get("host"),
            peer: row.get("peer"),
        }),
    })
}

/// Returns the tunnel's name from the column `name`, or `None` if it was edited by hand and
/// is invalid.
pub(super) fn name(row: &Row) -> Option<TunnelName> {
    row.get::<_, &str>("name").parse().ok()
}

pub(super) fn tunnel_key(row: &Row, column: &str) -> TunnelKey {
    let bytes: &[u8] = row.get(column);
    // A key of another length was edited by hand. It becomes a key that no tunnel has.
    TunnelKey::from_bytes(bytes.try_into().unwrap_or_default())
}
