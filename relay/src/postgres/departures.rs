//! Remembers sessions that have ended until their rows are deleted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::SessionId;

/// Ended sessions whose rows are still in the database.
#[derive(Debug, Default)]
pub(super) struct Departures {
    sessions: Mutex<Vec<SessionId>>,
    added: Notify,
}

impl Departures {
    pub(super) fn add(&self, session: SessionId) {
        self.lock().push(session);
        self.added.notify_one();
    }

    /// Waits until there are ended sessions.
    pub(super) async fn waiting(&self) {
        while self.lock().is_empty() {
            self.added.notified().await;
        }
    }

    /// Deletes the rows of ended sessions. Returns whether there were any.
    pub(super) async fn delete(&self, database: &Postgres) -> Result<bool, PostgresError> {
        let ids: Vec<i64> = self.lock().iter().map(|session| session.0).collect();
        if ids.is_empty() {
            return Ok(false);
        }
        let client = database.client().await?;
        let deleted = client
            .execute(
                "DELETE FROM podtap_sessions WHERE session = ANY($1)",
                &[&ids],
            )
            .await;
        deleted.map_err(database.on_error("give tunnels back"))?;
        self.lock().drain(..ids.len());
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SessionId>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
