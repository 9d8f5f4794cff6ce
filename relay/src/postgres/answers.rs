//! Passes answers from the relay that has the agent to the relay that holds the request.
//! The table has one row per request, and a crash of the database empties it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use podtap_wire::{EventId, WebhookResponse};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::Row;

use super::signals::Notifications;
use super::{RelayId, unavailable};
use crate::answers::AnswerExchange;
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::QueueError;

/// Maximum time between two searches for answers whose notification was lost.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// Answers on their way between relays.
#[derive(Debug)]
pub(crate) struct PgAnswers {
    database: Postgres,
    relay: RelayId,
    signals: Arc<Notifications>,
    /// Events for whose answers this relay waits.
    expected: Mutex<HashSet<EventId>>,
    expecting: Notify,
    forgotten: Arc<Forgotten>,
}

/// Events whose rows must be deleted, because this relay does not wait for their answers any more.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    events: Mutex<Vec<EventId>>,
    added: Notify,
}

impl PgAnswers {
    pub(super) fn new(database: Postgres, relay: RelayId, signals: Arc<Notifications>) -> Self {
        Self {
            database,
            relay,
            signals,
            expected: Mutex::default(),
            expecting: Notify::new(),
            forgotten: Arc::default(),
        }
    }

    pub(super) fn forgotten(&self) -> Arc<Forgotten> {
        Arc::clone(&self.forgotten)
    }

    fn lock_expected(&self) -> MutexGuard<'_, HashSet<EventId>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn try_expect(&self, id: EventId) -> Result<(), PostgresError> {
        let client = self.database.client().await?;
        let failed = self.database.on_error("wait for an answer");
        let statement = client
            .prepare_cached("INSERT INTO podtap_answers (event, relay) VALUES ($1, $2)")
            .await
            .map_err(&failed)?;
        let event = id.to_bytes().to_vec();
        let inserted = client.execute(&statement, &[&event, &self.relay.0]).await;
        inserted.map_err(failed)?;
        Ok(())
    }

    async fn try_post(
        &self,
        id: EventId,
        response: WebhookResponse,
    ) -> Result<Option<RelayId>, PostgresError> {
        let client = self.database.client().await?;
        let failed = self.database.on_error("pass an answer on");
        let statement = client
            .prepare_cached(
                "UPDATE podtap_answers SET status = $2, headers = $3, body = $4
                 WHERE event = $1 AND status IS NULL RETURNING relay",
            )
            .await
            .map_err(&failed)?;
        let event = id.to_bytes().to_vec();
        let headers = serde_json::to_string(&response.headers).unwrap_or_else(|_| "[]".to_owned());
        let (status, body) = (i32::from(response.status), &response.body[..]);
        let waiting = client
            .query_opt(&statement, &[&event, &status, &headers, &body])
            .await;
        let waiting = waiting.map_err(failed)?;
        Ok(waiting.map(|row| RelayId(row.get(0))))
    }

    async fn collect(&self) -> Result<Vec<(EventId, WebhookResponse)>, PostgresError> {
        let client = self.database.client().await?;
        let failed = self.database.on_error("take answers in");
        let statement = client
            .prepare_cached(
                "DELETE FROM podtap_answers WHERE relay = $1 AND status IS NOT NULL
                 RETURNING event, status, headers, body",
            )
            .await
            .map_err(&failed)?;
        let rows = client.query(&statement, &[&self.relay.0]).await;
        let rows = rows.map_err(failed)?;
        Ok(rows.iter().filter_map(answer).collect())
    }
}

/// Reads an answer from its row. Returns `None` if the row cannot be decoded.
fn answer(row: &Row) -> Option<(EventId, WebhookResponse)> {
    let event: &[u8] = row.get("event");
    let body: Option<Vec<u8>> = row.get("body");
    let headers: Option<&str> = row.get("headers");
    let response = WebhookResponse {
        status: u16::try_from(row.get::<_, i32>("status")).ok()?,
        headers: serde_json::from_str(headers.unwrap_or("[]")).ok()?,
        body: body.unwrap_or_default().into(),
    };
    Some((EventId::from_bytes(event.try_into().ok()?), response))
}

impl AnswerExchange for PgAnswers {
    fn is_shared(&self) -> bool {
        true
    }

    fn expect(&self, id: EventId) -> BoxFuture<'_, Result<(), QueueError>> {
        async move {
            self.try_expect(id).await.map_err(unavailable)?;
            self.lock_expected().insert(id);
            self.expecting.notify_one();
            Ok(())
        }
        .boxed()
    }

    fn forget(&self, id: EventId) {
        if self.lock_expected().remove(&id) {
            self.forgotten.lock().push(id);
            self.forgotten.added.notify_one();
        }
    }

    fn post(
        &self,
        id: EventId,
        response: WebhookResponse,
    ) -> BoxFuture<'_, Result<(), QueueError>> {
        async move {
            let waiting = self.try_post(id, response).await.map_err(unavailable)?;
            if let Some(relay) = waiting {
                self.signals.answer_for(relay);
            }
            Ok(())
        }
        .boxed()
    }

    fn take_arrived(&self) -> BoxFuture<'_, Vec<(EventId, WebhookResponse)>> {
        async move {
            loop {
                while self.lock_expected().is_empty() {
                    self.expecting.notified().await;
                }
                // Continues after a notification, or without one after [`LOOK_PERIOD`].
                let _ = timeout(LOOK_PERIOD, self.signals.answered.notified()).await;
                match self.collect().await {
                    Ok(answers) if answers.is_empty() => {}
                    Ok(answers) => {
                        let mut expected = self.lock_expected();
                        for (event, _) in &answers {
                            expected.remove(event);
                        }
                        return answers;
                    }
                    Err(error) => {
                        tracing::debug!(%error, "answers of other relays cannot be taken in");
                        tokio::time::sleep(LOOK_PERIOD).await;
                    }
                }
            }
        }
        .boxed()
    }
}

impl Forgotten {
    /// Waits until there are events.
    pub(super) async fn waiting(&self) {
        while self.lock().is_empty() {
            self.added.notified().await;
        }
    }

    pub(super) async fn delete(&self, database: &Postgres) -> Result<(), PostgresError> {
        let ids: Vec<Vec<u8>> = self
            .lock()
            .iter()
            .map(|id| id.to_bytes().to_vec())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let client = database.client().await?;
        let deleted = client
            .execute("DELETE FROM podtap_answers WHERE event = ANY($1)", &[&ids])
            .await;
        deleted.map_err(database.on_error("forget answers"))?;
        self.lock().drain(..ids.len());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<EventId>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
