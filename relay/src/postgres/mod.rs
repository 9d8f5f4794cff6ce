//! Stores everything of several relays in one shared PostgreSQL database.
//!
//! Any of these relays accepts webhooks of a tunnel, and any serves its agent. Each part of
//! the store has a file; in `signals`, the relays notify each other.

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

/// Id of a relay among those that share the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayId(pub(crate) i64);

impl RelayId {
    /// Registers a relay that starts, and returns its id.
    pub(crate) async fn enter(database: &Postgres) -> Result<Self, PostgresError> {
        let client = database.client().await?;
        let row = client
            .query_one("INSERT INTO podtap_relays DEFAULT VALUES RETURNING id", &[])
            .await;
        let row = row.map_err(database.on_error("enter this relay"))?;
        Ok(Self(row.get(0)))
    }
}

/// Logs the cause of a failure and returns the error that callers see: the database is not
/// available now.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn unavailable(error: PostgresError) -> QueueError {
    tracing::error!(%error, "the database cannot be used");
    QueueError::Unavailable
}

/// Converts a number that is never negative into the type that the database uses.
fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Converts a number of the database into one that is never negative.
fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
