//! What queues hold, as a transaction finds it: those of some owners, and all together.

use std::collections::HashMap;

use futures_util::try_join;
use tokio_postgres::{Client, Error};

use super::ends::held_by;
use super::from_sql;
use super::statements::{Parameters, Statements};
use crate::queue::EngineLimits;
use crate::queue::share::OwnerUsage;

/// What was asked for.
#[derive(Default)]
pub(super) struct StoredUsage {
    /// By owner.
    pub(super) held: HashMap<String, OwnerUsage>,
    /// Bytes of all queues.
    total: Option<u64>,
}

impl StoredUsage {
    /// What the owners of these tunnels hold, and all together where that is wanted: for that, all
    /// queues are looked at.
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

    /// What is left below the limit on all queues, where that was asked for.
    pub(super) fn left(&self, limits: &EngineLimits) -> Option<u64> {
        self.total
            .map(|total| limits.max_total_bytes.saturating_sub(total))
    }
}
