//! Reads how much some owners, and all owners together, have stored.

use std::collections::HashMap;

use futures_util::try_join;
use tokio_postgres::{Client, Error};

use super::ends::held_by;
use super::from_sql;
use super::statements::{Parameters, Statements};
use crate::queue::EngineLimits;
use crate::queue::share::OwnerUsage;

/// Usage that a query returned.
#[derive(Default)]
pub(super) struct StoredUsage {
    /// By owner.
    pub(super) held: HashMap<String, OwnerUsage>,
    /// Bytes of all queues, if they were asked for.
    total: Option<u64>,
}

impl StoredUsage {
    /// Reads the usage of the owners of these tunnels, and of all owners together if that is
    /// wanted. The latter reads the rows of all queues.
    pub(super) async fn ask(
        client: &Client,
        statements: &Statements,
        locked: &Parameters<'_, 1>,
        wants_total: bool,
    ) -> Result<Self, Error> {
        let total = async {
            if wants_total {
                client.query_one(&statements.total, &[]).await.map(Some)
            } else {
                Ok(None)
            }
        };
        let (held, total) = try_join!(client.query(&statements.owners, locked), total)?;
        Ok(Self {
            held: held_by(&held),
            total: total.map(|row| from_sql(row.get(0))),
        })
    }

    /// Returns the bytes left below the limit for all queues, if the total was asked for.
    pub(super) fn bytes_left(&self, limits: &EngineLimits) -> Option<u64> {
        self.total
            .map(|total| limits.max_total_bytes.saturating_sub(total))
    }
}
