//! Keeps track of which agent has which tunnel, among relays that share a database.
//!
//! The lock on the row of a queue ensures that two relays do not give its tunnel away at
//! the same time. The sessions of a relay that has not reported for a while count as ended.
//! All times are those of the database's clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use podtap_wire::Respond;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Error, Row, Transaction};

use super::departures::Departures;
use super::signals::Notifications;
use super::{RelayId, from_sql, to_sql, unavailable};
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::{QueueError, SessionId, TunnelId};
use crate::roster::{
    ClaimOutcome, ClaimVerdict, Everyone, HoldingAgent, Roster, TakeOver, TunnelClaim, decide,
};
use crate::tunnel::AgentConnection;
use crate::tunnel::registry::time;

/// Time between two reports of a relay that it is running.
const SEEN_PERIOD: Duration = Duration::from_secs(2);

/// Maximum time between two reads of the roster if no relay announces a change.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Time between two checks whether a session has answered.
const ANSWER_PERIOD: Duration = Duration::from_millis(100);

/// Time that a question and its answer may take between relays, in addition to the time
/// that the agent has to answer.
const ON_THE_WAY: Duration = Duration::from_secs(3);

/// Selects the sessions of running relays, with their tunnels.
const SESSIONS: &str = "
    SELECT s.* FROM podtap_sessions AS s
    JOIN podtap_relays AS r ON r.id = s.relay
    WHERE r.seen_at > clock_timestamp() - interval '10 seconds'";

/// Roster of the agents of all relays.
#[derive(Debug)]
pub(crate) struct PgRoster {
    database: Postgres,
    relay: RelayId,
    signals: Arc<Notifications>,
    left: Arc<Departures>,
    last: Mutex<Last>,
}

/// Times at which these tasks were last done.
#[derive(Debug, Default)]
struct Last {
    seen: Option<Instant>,
    looked: Option<Instant>,
}

impl PgRoster {
    pub(super) fn new(database: Postgres, relay: RelayId, signals: Arc<Notifications>) -> Self {
        Self {
            database,
            relay,
            signals,
            left: Arc::default(),
            last: Mutex::default(),
        }
    }

    pub(super) fn departures(&self) -> Arc<Departures> {
        Arc::clone(&self.left)
    }

    fn holder(&self, row: &Row) -> HoldingAgent {
        let is_local = row.get::<_, &str>("respond") == "local";
        HoldingAgent {
            session: SessionId(row.get("session")),
            is_here: row.get::<_, i64>("relay") == self.relay.0,
            epoch: from_sql(row.get("epoch")),
            respond: if is_local {
                Respond::Local
            } else {
                Respond::Stored
            },
            connected: AgentConnection {
                since: time(row.get("since")),
                host: row.get("host"),
                peer: row.get("peer"),
            },
        }
    }

    async fn try_take(
        &self,
        tunnel: TunnelId,
        claim: TunnelClaim,
        dead: Option<SessionId>,
    ) -> Result<Option<ClaimOutcome>, PostgresError> {
        let failed = self.database.on_error("take a tunnel");
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await.map_err(&failed)?;
        let locked = transaction
            .query_opt(
                "SELECT 1 FROM podtap_queues WHERE tunnel = $1 FOR UPDATE",
                &[&tunnel.0],
            )
            .await;
        if locked.map_err(&failed)?.is_none() {
            return Ok(None);
        }
        let holder = transaction
            .query_opt(&format!("{SESSIONS} AND s.tunnel = $1"), &[&tunnel.0])
            .await
            .map_err(&failed)?;
        let holder = holder.map(|row| self.holder(&row));
        let last = transaction
            .query_opt(
                "SELECT epoch, patience_ms,
                        (extract(epoch FROM clock_timestamp() - at) * 1000)::bigint AS age_ms
                 FROM podtap_take_overs WHERE tunnel = $1",
                &[&tunnel.0],
            )
            .await
            .map_err(&failed)?;
        let last = last.map(|row| TakeOver {
            epoch: from_sql(row.get("epoch")),
            age: Duration::from_millis(from_sql(row.get("age_ms"))),
            patience: Duration::from_millis(from_sql(row.get("patience_ms"))),
        });
        let verdict = decide(&claim, holder.as_ref(), dead, last);
        if let (ClaimVerdict::Contest, Some(holder)) = (verdict, &holder) {
            return Ok(Some(ClaimOutcome::Contested(holder.clone())));
        }
        if let ClaimVerdict::Take {
            patience: Some(patience),
        } = verdict
        {
            let remembered = remember(&transaction, tunnel, claim.epoch, patience).await;
            remembered.map_err(&failed)?;
        }
        let session = self.enter(&transaction, tunnel, &claim).await;
        let session = session.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        self.signals.tell_roster_changed();
        Ok(Some(ClaimOutcome::Taken {
            session,
            from: holder,
        }))
    }

    /// Records a session as the one that has the tunnel.
    async fn enter(
        &self,
        transaction: &Transaction<'_>,
        tunnel: TunnelId,
        claim: &TunnelClaim,
    ) -> Result<SessionId, Error> {
        let epoch = to_sql(claim.epoch);
        let respond = match claim.respond {
            Respond::Local => "local",
            Respond::Stored => "stored",
        };
        let AgentConnection { since, host, peer } = &claim.connected;
        let session = transaction
            .query_one(
                "INSERT INTO podtap_sessions
                     (tunnel, session, relay, epoch, respond, since, host, peer)
                 VALUES ($1, nextval('podtap_session_numbers'), $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (tunnel) DO UPDATE SET session = excluded.session,
                     relay = excluded.relay, epoch = excluded.epoch, respond = excluded.respond,
                     since = excluded.since, host = excluded.host, peer = excluded.peer,
                     asked = 0, lived = 0
                 RETURNING session",
                &[
                    &tunnel.0,
                    &self.relay.0,
                    &epoch,
                    &respond,
                    &since.as_millisecond(),
                    host,
                    peer,
                ],
            )
            .await?;
        let session = SessionId(session.get(0));
        let newest = transaction
            .execute(
                "UPDATE podtap_queues SET session = $2 WHERE tunnel = $1",
                &[&tunnel.0, &session.0],
            )
            .await;
        newest?;
        Ok(session)
    }

    /// Reports that this relay is running, and deletes relays that have not reported for long.
    async fn be_seen(&self) -> Result<(), PostgresError> {
        let client = self.database.client().await?;
        let failed = self.database.on_error("say that this relay runs");
        client
            .execute(
                "INSERT INTO podtap_relays OVERRIDING SYSTEM VALUE VALUES ($1, clock_timestamp())
                 ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
                &[&self.relay.0],
            )
            .await
            .map_err(&failed)?;
        client
            .batch_execute(
                "WITH gone AS (
                     DELETE FROM podtap_relays
                     WHERE seen_at < clock_timestamp() - interval '1 minute' RETURNING id)
                 DELETE FROM podtap_sessions WHERE relay IN (SELECT id FROM gone);
                 DELETE FROM podtap_answers WHERE at < clock_timestamp() - interval '10 minutes'",
            )
            .await
            .map_err(failed)
    }

    async fn read_sessions(&self) -> Result<Everyone, PostgresError> {
        let client = self.database.client().await?;
        let failed = self.database.on_error("look who is connected");
        let statement = client.prepare_cached(SESSIONS).await.map_err(&failed)?;
        let rows = client.query(&statement, &[]).await.map_err(failed)?;
        let mut everyone = Everyone::default();
        for row in &rows {
            let holder = self.holder(row);
            if holder.is_here && row.get::<_, i64>("asked") > row.get::<_, i64>("lived") {
                everyone.asked.push(holder.session);
            }
            everyone.holders.push((TunnelId(row.get("tunnel")), holder));
        }
        Ok(everyone)
    }

    async fn try_ask(&self, session: SessionId, patience: Duration) -> Result<bool, PostgresError> {
        let failed = self.database.on_error("ask whether an agent lives");
        let client = self.database.client().await?;
        let asked = client
            .query_opt(
                "UPDATE podtap_sessions SET asked = asked + 1 WHERE session = $1 RETURNING asked",
                &[&session.0],
            )
            .await;
        let Some(asked) = asked.map_err(&failed)? else {
            return Ok(false);
        };
        let asked: i64 = asked.get(0);
        self.signals.tell_roster_changed();
        let until = Instant::now() + patience + ON_THE_WAY;
        while Instant::now() < until {
            let answer = client
                .query_opt(
                    "SELECT lived >= $2 FROM podtap_sessions WHERE session = $1",
                    &[&session.0, &asked],
                )
                .await;
            match answer.map_err(&failed)? {
                None => return Ok(false),
                Some(row) if row.get(0) => return Ok(true),
                Some(_) => sleep(ANSWER_PERIOD).await,
            }
        }
        Ok(false)
    }

    fn is_time(
        &self,
        choose: impl FnOnce(&mut Last) -> &mut Option<Instant>,
        period: Duration,
    ) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = choose(&mut last);
        let is_time = last.is_none_or(|at| at.elapsed() >= period);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

/// Records a take-over.
async fn remember(
    transaction: &Transaction<'_>,
    tunnel: TunnelId,
    epoch: u64,
    patience: Duration,
) -> Result<(), Error> {
    let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
    transaction
        .execute(
            "INSERT INTO podtap_take_overs VALUES ($1, $2, clock_timestamp(), $3)
             ON CONFLICT (tunnel) DO UPDATE SET epoch = excluded.epoch, at = excluded.at,
                 patience_ms = excluded.patience_ms",
            &[&tunnel.0, &to_sql(epoch), &patience],
        )
        .await?;
    Ok(())
}

impl Roster for PgRoster {
    fn take(
        &self,
        tunnel: TunnelId,
        claim: TunnelClaim,
        dead: Option<SessionId>,
    ) -> BoxFuture<'_, Result<ClaimOutcome, QueueError>> {
        async move {
            let taken = self.try_take(tunnel, claim, dead).await;
            taken.map_err(unavailable)?.ok_or(QueueError::UnknownTunnel)
        }
        .boxed()
    }

    fn leave(&self, _: TunnelId, session: SessionId) {
        self.left.add(session);
    }

    fn everyone(&self) -> BoxFuture<'_, Result<Option<Everyone>, QueueError>> {
        async move {
            if self.is_time(|last| &mut last.seen, SEEN_PERIOD) {
                self.be_seen().await.map_err(unavailable)?;
            }
            let has_changed = self.signals.take_roster_changed();
            if !self.is_time(|last| &mut last.looked, LOOK_PERIOD) && !has_changed {
                return Ok(None);
            }
            self.read_sessions().await.map(Some).map_err(unavailable)
        }
        .boxed()
    }

    fn ask(
        &self,
        session: SessionId,
        patience: Duration,
    ) -> BoxFuture<'_, Result<bool, QueueError>> {
        async move { self.try_ask(session, patience).await.map_err(unavailable) }.boxed()
    }

    fn answer(&self, session: SessionId) -> BoxFuture<'_, Result<(), QueueError>> {
        async move {
            let answer = async {
                let client = self.database.client().await?;
                let lives = client
                    .execute(
                        "UPDATE podtap_sessions SET lived = asked WHERE session = $1",
                        &[&session.0],
                    )
                    .await;
                lives.map_err(self.database.on_error("say that an agent lives"))
            };
            answer.await.map(drop).map_err(unavailable)
        }
        .boxed()
    }
}
