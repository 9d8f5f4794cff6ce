//! Implements the queue's async interface: writes go to the writer task, reads use the
//! connection pool.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use podtap_disk::age::{AgeClock, Now};
use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answers::PgAnswers;
use super::chores::Chores;
use super::depths::Depths;
use super::refused::PgRefused;
use super::removals::{PendingAcknowledgements, QueueRemoval, SessionRemovalBound};
use super::roster::PgRoster;
use super::signals::Notifications;
use super::writer::{PostgresCommand, PostgresWriter, WriterState};
use super::{RelayId, read, unavailable};
use crate::database::postgres::{Postgres, PostgresError};
use crate::metrics::Metrics;
use crate::queue::commands::Commands;
use crate::queue::{
    AppendError, Depth, EngineLimits, Gap, Queue, QueueError, ReadLimit, SessionId, Totals,
    TunnelId,
};

/// Number of age marks over the maximum age. An event is removed at most one interval too late.
const MARKS: i64 = 200;

/// Queue in a PostgreSQL database.
pub(crate) struct PgQueue {
    database: Postgres,
    relay: RelayId,
    commands: Commands<PostgresCommand>,
    depths: Arc<Depths>,
    pending: Arc<PendingAcknowledgements>,
    /// Set in the relay that measures the time for all relays.
    clock: Mutex<Option<AgeClock>>,
    tasks: TaskTracker,
    end: CancellationToken,
}

impl PgQueue {
    /// Starts the background tasks of a relay, both of the queue and of the other parts of the
    /// store.
    pub(crate) fn start(
        database: &Postgres,
        relay: RelayId,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
    ) -> (Self, PgRoster, PgAnswers, PgRefused) {
        let (commands, waiting) = Commands::new();
        let depths = Arc::<Depths>::default();
        let pending = Arc::<PendingAcknowledgements>::default();
        let signals = Arc::new(Notifications::new(relay, Arc::clone(&depths)));
        let roster = PgRoster::new(database.clone(), relay, Arc::clone(&signals));
        let answers = PgAnswers::new(database.clone(), relay, Arc::clone(&signals));
        let refused = PgRefused::new(database.clone(), relay, Arc::clone(&signals));
        let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
        let writer = PostgresWriter {
            database: database.clone(),
            limits,
            depths: Arc::clone(&depths),
            signals: Arc::clone(&signals),
            metrics,
            pending: Arc::clone(&pending),
            state: WriterState::default(),
        };
        tasks.spawn(writer.run(waiting));
        let chores = Chores {
            database: database.clone(),
            relay,
            depths: Arc::clone(&depths),
            signals,
            left: roster.departures(),
            forgotten: answers.forgotten(),
        };
        tasks.spawn(chores.run(end.clone()));
        tasks.close();
        let queue = Self {
            database: database.clone(),
            relay,
            commands,
            depths,
            pending,
            clock: Mutex::default(),
            tasks,
            end,
        };
        (queue, roster, answers, refused)
    }

    async fn remove(&self, tunnel: TunnelId, until: SessionRemovalBound) -> Result<(), QueueError> {
        self.commands
            .ask(|reply| {
                PostgresCommand::Remove(QueueRemoval {
                    tunnel,
                    until,
                    reply: Some(reply),
                })
            })
            .await
    }

    async fn remove_acknowledged(&self) -> Result<(), QueueError> {
        let settled = self
            .commands
            .ask(|reply| PostgresCommand::Settle { reply: Some(reply) });
        match settled.await {
            // The unknown tunnel may be another one that was settled at the same time.
            Ok(()) | Err(QueueError::UnknownTunnel) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn depth_now(&self, tunnel: TunnelId) -> Result<Depth, QueueError> {
        let depths = read::depths(&self.database, &[tunnel]).await;
        let known = depths.map_err(unavailable)?.pop();
        known
            .map(|(_, depth)| depth)
            .ok_or(QueueError::UnknownTunnel)
    }

    async fn subscribe(&self, tunnel: TunnelId) -> Result<watch::Receiver<Depth>, QueueError> {
        if let Some(known) = self.depths.subscribe(tunnel) {
            return Ok(known);
        }
        let depth = self.depth_now(tunnel).await?;
        Ok(self.depths.follow(tunnel, depth))
    }

    /// Advances the age clock if this relay keeps it, and marks the ends of the queues. Returns
    /// the tunnels that have events older than `max_age`, each with the last of these events.
    async fn beyond(
        &self,
        max_age: Duration,
        now: Now,
    ) -> Result<Vec<(TunnelId, Seq)>, PostgresError> {
        let failed = self.database.on_error("look for old events");
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await.map_err(&failed)?;
        // One relay at a time keeps the clock. Another takes over if that relay has left the list.
        let keeper = transaction
            .query_opt(
                "INSERT INTO podtap_facts AS f VALUES ('timekeeper', $1::bigint::text)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value
                 WHERE f.value = excluded.value OR NOT EXISTS (
                     SELECT 1 FROM podtap_relays WHERE id = f.value::bigint
                     AND seen_at > clock_timestamp() - interval '10 seconds')
                 RETURNING (SELECT value FROM podtap_facts WHERE name = 'ages')",
                &[&self.relay.0],
            )
            .await
            .map_err(&failed)?;
        let Some(keeper) = keeper else {
            *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = None;
            return Ok(Vec::new());
        };
        let (age, kept) = self.count(keeper.get(0), now);
        transaction
            .execute(
                "INSERT INTO podtap_facts VALUES ('ages', $1)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                &[&kept],
            )
            .await
            .map_err(&failed)?;
        let max_age = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        transaction
            .execute(
                "DELETE FROM podtap_age_marks AS m USING podtap_queues AS q
                 WHERE q.tunnel = m.tunnel AND m.seq <= q.removed_seq",
                &[],
            )
            .await
            .map_err(&failed)?;
        transaction
            .execute(
                "INSERT INTO podtap_age_marks
                 SELECT q.tunnel, q.last_seq, $1 FROM podtap_queues AS q
                 JOIN podtap_tunnels AS t ON t.id = q.tunnel
                 LEFT JOIN (SELECT tunnel, max(age_ms) AS age_ms FROM podtap_age_marks GROUP BY tunnel)
                     AS m ON m.tunnel = q.tunnel
                 WHERE q.last_seq > q.removed_seq AND $1 >= coalesce(m.age_ms + $2::bigint, 0)
                 ON CONFLICT DO NOTHING",
                &[&age, &(max_age / MARKS)],
            )
            .await
            .map_err(&failed)?;
        let rows = transaction
            .query(
                "SELECT m.tunnel, max(m.seq) AS seq FROM podtap_age_marks AS m
                 JOIN podtap_queues AS q ON q.tunnel = m.tunnel
                 WHERE m.age_ms <= $1 AND m.seq > q.removed_seq GROUP BY m.tunnel",
                &[&age.saturating_sub(max_age)],
            )
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        let beyond = rows.iter().map(|row| {
            let seq = Seq(super::from_sql(row.get("seq")));
            (TunnelId(row.get("tunnel")), seq)
        });
        Ok(beyond.collect())
    }

    /// Advances the clock to `now`. Returns the age, and the clock as text to store.
    fn count(&self, kept: Option<String>, now: Now) -> (i64, String) {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
        let clock = match &mut *clock {
            Some(clock) => {
                clock.advance(now);
                clock
            }
            none => none.insert(AgeClock::resume(kept, now).0),
        };
        let kept = serde_json::to_string(clock.to_keep()).unwrap_or_default();
        (clock.age_ms(), kept)
    }
}

impl Queue for PgQueue {
    fn append(
        &self,
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> BoxFuture<'_, Result<Seq, AppendError>> {
        self.commands.append(tunnel, id, request).boxed()
    }

    fn read_after(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> BoxFuture<'_, Result<Vec<EventFrame>, QueueError>> {
        async move {
            let mut depth = self.subscribe(tunnel).await?;
            Depth::wait_past(&mut depth, after).await?;
            if let Some(events) = self.depths.recent(tunnel, after, at_most) {
                return Ok(events);
            }
            read::events(&self.database, tunnel, after, at_most).await
        }
        .boxed()
    }

    fn follow(
        &self,
        tunnel: TunnelId,
    ) -> BoxFuture<'_, Result<watch::Receiver<Depth>, QueueError>> {
        self.subscribe(tunnel).boxed()
    }

    fn acknowledge(
        &self,
        tunnel: TunnelId,
        by: SessionId,
        through: Seq,
    ) -> BoxFuture<'_, Result<(), QueueError>> {
        self.remove(tunnel, SessionRemovalBound::Acknowledged { by, through })
            .boxed()
    }

    fn acknowledge_soon(&self, tunnel: TunnelId, by: SessionId, through: Seq) {
        if self.pending.note(tunnel, by, through) {
            // A writer that is this busy removes acknowledged events along with its appends.
            self.commands.offer(PostgresCommand::Settle { reply: None });
        }
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        async move {
            if !self.pending.is_empty() {
                self.remove_acknowledged().await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn expire(&self, max_age: Duration, now: Now) -> BoxFuture<'_, Result<(), QueueError>> {
        async move {
            let beyond = self.beyond(max_age, now).await.map_err(unavailable)?;
            for (tunnel, through) in beyond {
                match self
                    .remove(tunnel, SessionRemovalBound::Expired(through))
                    .await
                {
                    Ok(()) | Err(QueueError::UnknownTunnel) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn gaps(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Vec<Gap>, QueueError>> {
        read::gaps(&self.database, tunnel).boxed()
    }

    fn depth(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Depth, QueueError>> {
        async move {
            self.remove_acknowledged().await?;
            self.depth_now(tunnel).await
        }
        .boxed()
    }

    fn totals(&self) -> BoxFuture<'_, Result<Totals, QueueError>> {
        read::totals(&self.database).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        self.commands
            .ask(|reply| PostgresCommand::Probe { reply })
            .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            // The writer handles all earlier commands before it ends.
            let close = self.commands.ask(|reply| PostgresCommand::Close { reply });
            let _: Result<(), QueueError> = close.await;
            self.end.cancel();
            self.tasks.wait().await;
        }
        .boxed()
    }
}

impl Drop for PgQueue {
    fn drop(&mut self) {
        // The writer ends when the last sender of commands is dropped.
        self.end.cancel();
    }
}

impl fmt::Debug for PgQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgQueue")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
