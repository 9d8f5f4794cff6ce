//! Prepares the statements of the writer on its connection.

use futures_util::try_join;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

/// Parameters of a statement.
pub(super) type Parameters<'a, const N: usize> = [&'a (dyn ToSql + Sync); N];

/// For a few events, planning a statement takes the server longer than executing it, so
/// each is planned once. The plan must be good for tables of any size, so it uses the keys.
const PLANS: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;";

/// Statements, prepared on one connection.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) lock: Statement,
    pub(super) remove: Statement,
    pub(super) delete: Statement,
    pub(super) forget_gaps: Statement,
    pub(super) keep_gap: Statement,
    pub(super) owners: Statement,
    pub(super) total: Statement,
    pub(super) insert: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
        client.batch_execute(PLANS).await?;
        let lock = client.prepare(
            "SELECT q.tunnel, t.owner, q.last_seq, q.last_bytes, q.removed_seq,
                    q.removed_bytes, q.session
             FROM podtap_queues AS q JOIN podtap_tunnels AS t ON t.id = q.tunnel
             WHERE q.tunnel = ANY($1::bigint[]) ORDER BY q.tunnel FOR UPDATE OF q",
        );
        // The last event before the end may be missing; then the bytes of the events before it are
        // used.
        let remove = client.prepare(
            "UPDATE podtap_queues AS q SET removed_seq = r.through, removed_bytes =
                 CASE WHEN r.through = q.last_seq THEN q.last_bytes ELSE coalesce(
                     (SELECT e.bytes_through FROM podtap_events AS e
                      WHERE e.tunnel = q.tunnel AND e.seq > q.removed_seq AND e.seq <= r.through
                      ORDER BY e.seq DESC LIMIT 1), q.removed_bytes) END
             FROM unnest($1::bigint[], $2::bigint[]) AS r (tunnel, through)
             WHERE q.tunnel = r.tunnel RETURNING q.tunnel, q.removed_seq, q.removed_bytes",
        );
        let delete = client.prepare(
            "DELETE FROM podtap_events AS e
             USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS r (tunnel, above, through)
             WHERE e.tunnel = r.tunnel AND e.seq > r.above AND e.seq <= r.through",
        );
        let forget_gaps = client.prepare(
            "DELETE FROM podtap_gaps AS g
             USING unnest($1::bigint[], $2::bigint[]) AS r (tunnel, through)
             WHERE g.tunnel = r.tunnel AND g.to_seq <= r.through",
        );
        // Extends the preceding gap if the new gap follows it directly.
        let keep_gap = client.prepare(
            "WITH widened AS (
                 UPDATE podtap_gaps SET to_seq = $3
                 WHERE tunnel = $1 AND to_seq = $2::bigint - 1 RETURNING 1)
             INSERT INTO podtap_gaps SELECT $1::bigint, $2::bigint, $3::bigint, $4::text
             WHERE NOT EXISTS (SELECT 1 FROM widened)",
        );
        let owners = client.prepare(
            "SELECT t.owner, sum(q.last_seq - q.removed_seq)::bigint AS events,
                    sum(q.last_bytes - q.removed_bytes)::bigint AS bytes
             FROM podtap_queues AS q JOIN podtap_tunnels AS t ON t.id = q.tunnel
             WHERE t.owner IN (SELECT owner FROM podtap_tunnels WHERE id = ANY($1::bigint[]))
             GROUP BY t.owner",
        );
        let total = client.prepare(
            "SELECT coalesce(sum(last_bytes - removed_bytes), 0)::bigint FROM podtap_queues",
        );
        // One statement for both parts, because the server's cost of starting a statement matters
        // if events come singly. Both parts see the queues as they were before the statement.
        let insert = client.prepare(
            "WITH inserted AS (
                 INSERT INTO podtap_events (tunnel, seq, bytes_through, received_at, id, peer, method,
                                            path, headers, body)
                 SELECT e.tunnel, q.last_seq + e.nth, q.last_bytes + e.bytes, e.received_at, e.id,
                        e.peer, e.method, e.path, e.headers, e.body
                 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[],
                     $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[])
                     AS e (tunnel, nth, bytes, received_at, id, peer, method, path, headers, body)
                 JOIN podtap_queues AS q ON q.tunnel = e.tunnel)
             UPDATE podtap_queues AS q SET last_seq = q.last_seq + r.events,
                 last_bytes = q.last_bytes + r.bytes, last_at = r.at
             FROM unnest($11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
                 AS r (tunnel, events, bytes, at)
             WHERE q.tunnel = r.tunnel",
        );
        let (lock, remove, delete, forget_gaps) = try_join!(lock, remove, delete, forget_gaps)?;
        let (keep_gap, owners, total, insert) = try_join!(keep_gap, owners, total, insert)?;
        Ok(Self {
            lock,
            remove,
            delete,
            forget_gaps,
            keep_gap,
            owners,
            total,
            insert,
        })
    }
}
