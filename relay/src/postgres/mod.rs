//! The engine for relays that share a PostgreSQL database: any of them takes a webhook, any serves
//! the agent. One file a part of the store; `signals` is how the relays wake each other.

mod answers;
mod batch;
mod chores;
mod departures;
mod depths;
mod ends;
mod known;
mod plan;
mod queue;
mod read;
mod refused;
mod registry;
mod removals;
mod revoke;
mod roster;
mod signals;
mod statements;
mod taken;
#[cfg(test)]
pub(crate) mod tests;
mod tunnels;
mod writer;

pub(crate) use queue::PgQueue;
pub(crate) use registry::PgRegistry;

use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::QueueError;

/// A relay among those that share the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayId(pub(crate) i64);

impl RelayId {
    /// Enters a relay that starts.
    pub(crate) async fn enter(database: &Postgres) -> Result<Self, PostgresError> {
        let client = database.client().await?;
        let row = client
            .query_one("INSERT INTO podtap_relays DEFAULT VALUES RETURNING id", &[])
            .await;
        let row = row.map_err(database.on_error("enter this relay"))?;
        Ok(Self(row.get(0)))
    }
}

/// Logs why something failed; the caller hears that it is not available now.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn unavailable(error: PostgresError) -> QueueError {
    tracing::error!(%error, "the database cannot be used");
    QueueError::Unavailable
}

/// A number that is never negative, as the database has it.
fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// And back.
fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
