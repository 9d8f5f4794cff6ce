//! Where a relay keeps everything that outlives a request: one seam, which an engine is behind.
//!
//! [`Store`] bundles the queue, tunnels and tokens, who has which tunnel, and answers in flight. The
//! parts are traits, each at home beside those who use it; here is which engine a relay has.

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::answers::{Answers, NoOthers};
use crate::config::Limits;
use crate::database::{self, Database, Lock};
use crate::metrics::Metrics;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{Queue, QueueLimits};
use crate::roster::Roster;
use crate::roster::memory::MemoryRoster;
use crate::tunnel::registry::Registry;
use crate::tunnel::sqlite::SqliteRegistry;
use crate::tunnel::{self, TokenStore};

/// Everything that a relay keeps.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) roster: Arc<dyn Roster>,
    pub(crate) answers: Arc<dyn Answers>,
}

/// A store that is open for one relay.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// Of an embedded database, which has one relay at a time.
    pub(crate) lock: Option<Lock>,
    data_dir: PathBuf,
}

impl Opened {
    /// Opens the embedded database of a folder.
    pub(crate) fn folder(
        data_dir: &Path,
        limits: &Limits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, database::Error> {
        let lock = Lock::take(data_dir)?;
        // Checked where the relay before this one was cut off.
        let database = if lock.was_cut_off() {
            tracing::info!("the relay before this one was cut off; its database is checked");
            Database::open_after_a_cut(data_dir)?
        } else {
            Database::open(data_dir)?
        };
        let store = Store::sqlite(database, limits.into(), metrics)?;
        Ok(Self {
            store,
            lock: Some(lock),
            data_dir: data_dir.to_owned(),
        })
    }

    /// The tokens and tunnels, for whoever runs the relay.
    pub(crate) fn tokens(&self) -> Result<TokenStore, tunnel::Error> {
        TokenStore::open(&self.data_dir)
    }
}

impl Store {
    /// The embedded engine.
    pub(crate) fn sqlite(
        database: Database,
        limits: QueueLimits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, database::Error> {
        let queue = Arc::new(SqliteQueue::open(&database, limits, metrics)?);
        let registry = SqliteRegistry::of(database, Arc::clone(&queue));
        Ok(Self {
            queue,
            registry: Arc::new(registry),
            roster: Arc::new(MemoryRoster::default()),
            answers: Arc::new(NoOthers),
        })
    }
}
