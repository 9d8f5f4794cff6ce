//! Passes refusals to the relay that has the agent, with one row per tunnel and reason, and
//! stores how many webhooks each relay has refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_postgres::Row;

use super::signals::Notifications;
use super::statements::Parameters;
use super::{RelayId, from_sql, to_sql, unavailable};
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::{QueueError, TunnelId};
use crate::refused::{RefusalTally, RefusedElsewhere};
use crate::tunnel::registry::time;

/// Maximum time between two checks for refusals whose notification was lost.
const LOOK_PERIOD: Duration = Duration::from_secs(5);

/// Refusals on their way between relays.
#[derive(Debug)]
pub(crate) struct PgRefused {
    database: Postgres,
    relay: RelayId,
    signals: Arc<Notifications>,
    looked: Mutex<Option<Instant>>,
}

impl PgRefused {
    pub(super) fn new(database: Postgres, relay: RelayId, signals: Arc<Notifications>) -> Self {
        Self {
            database,
            relay,
            signals,
            looked: Mutex::default(),
        }
    }

    fn is_time(&self) -> bool {
        let is_told = self.signals.take_refused();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = is_told || looked.is_none_or(|at| at.elapsed() >= LOOK_PERIOD);
        if is_time {
            *looked = Some(Instant::now());
        }
        is_time
    }

    async fn try_pass_on(
        &self,
        mut tallies: Vec<(TunnelId, RefusalTally)>,
    ) -> Result<(), PostgresError> {
        // All relays sort the rows in the same way, so that two relays cannot wait for each other.
        tallies.sort_by(|(one, a), (another, b)| (one, &a.kind).cmp(&(another, &b.kind)));
        let rows = RefusalColumns::of(&tallies);
        let client = self.database.client().await?;
        client
            .execute(
                "INSERT INTO podtap_refused AS r (tunnel, kind, reason, count, last_at)
                 SELECT n.* FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[],
                     $5::bigint[]) AS n (tunnel, kind, reason, count, last_at)
                 JOIN podtap_tunnels AS t ON t.id = n.tunnel
                 ORDER BY n.tunnel, n.kind
                 ON CONFLICT (tunnel, kind) DO UPDATE SET count = r.count + excluded.count,
                     reason = excluded.reason, last_at = greatest(r.last_at, excluded.last_at)",
                &rows.parameters(),
            )
            .await
            .map_err(self.database.on_error("tell of refused webhooks"))?;
        self.signals.tell_refused();
        Ok(())
    }

    async fn try_keep(&self, totals: &[(TunnelId, RefusalTally)]) -> Result<(), PostgresError> {
        let rows = RefusalColumns::of(totals);
        let client = self.database.client().await?;
        // If this relay was removed from the list by mistake, its rows would stay forever.
        client
            .execute(
                "INSERT INTO podtap_refused_totals (tunnel, kind, reason, count, last_at, relay)
                 SELECT n.*, r.id FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[],
                     $5::bigint[]) AS n (tunnel, kind, reason, count, last_at)
                 JOIN podtap_tunnels AS t ON t.id = n.tunnel
                 JOIN podtap_relays AS r ON r.id = $6::bigint
                 ON CONFLICT (tunnel, kind, relay) DO UPDATE SET count = excluded.count,
                     reason = excluded.reason, last_at = excluded.last_at",
                &[&rows.parameters()[..], &[&self.relay.0]].concat(),
            )
            .await
            .map_err(self.database.on_error("keep what was refused"))?;
        Ok(())
    }

    async fn try_collect(&self) -> Result<Vec<(TunnelId, RefusalTally)>, PostgresError> {
        let client = self.database.client().await?;
        let rows = client
            .query(
                "DELETE FROM podtap_refused AS r USING podtap_sessions AS s
                 WHERE s.tunnel = r.tunnel AND s.relay = $1
                 RETURNING r.tunnel, r.kind, r.reason, r.count, r.last_at",
                &[&self.relay.0],
            )
            .await
            .map_err(self.database.on_error("hear of refused webhooks"))?;
        Ok(rows.iter().map(tally).collect())
    }
}

/// Tallies as columns of an `INSERT`.
#[derive(Default)]
struct RefusalColumns<'a> {
    tunnels: Vec<i64>,
    kinds: Vec<&'a str>,
    reasons: Vec<&'a str>,
    counts: Vec<i64>,
    last_at: Vec<i64>,
}

impl<'a> RefusalColumns<'a> {
    fn of(tallies: &'a [(TunnelId, RefusalTally)]) -> Self {
        let mut columns = Self::default();
        for (tunnel, tally) in tallies {
            columns.tunnels.push(tunnel.0);
            columns.kinds.push(&tally.kind);
            columns.reasons.push(&tally.reason);
            columns.counts.push(to_sql(tally.count));
            columns.last_at.push(tally.last_at.as_millisecond());
        }
        columns
    }

    fn parameters(&self) -> Parameters<'_, 5> {
        [
            &self.tunnels,
            &self.kinds,
            &self.reasons,
            &self.counts,
            &self.last_at,
        ]
    }
}

fn tally(row: &Row) -> (TunnelId, RefusalTally) {
    let tally = RefusalTally {
        kind: row.get::<_, String>("kind").into(),
        reason: row.get("reason"),
        count: from_sql(row.get("count")),
        last_at: time(row.get("last_at")),
    };
    (TunnelId(row.get("tunnel")), tally)
}

impl RefusedElsewhere for PgRefused {
    fn pass_on(
        &self,
        tallies: Vec<(TunnelId, RefusalTally)>,
    ) -> BoxFuture<'_, Result<(), QueueError>> {
        async move { self.try_pass_on(tallies).await.map_err(unavailable) }.boxed()
    }

    fn collect(&self) -> BoxFuture<'_, Result<Vec<(TunnelId, RefusalTally)>, QueueError>> {
        async move {
            if !self.is_time() {
                return Ok(Vec::new());
            }
            self.try_collect().await.map_err(unavailable)
        }
        .boxed()
    }

    fn keep(&self, totals: Vec<(TunnelId, RefusalTally)>) -> BoxFuture<'_, Result<(), QueueError>> {
        async move { self.try_keep(&totals).await.map_err(unavailable) }.boxed()
    }
}
