//! Opens the store, where a relay keeps everything that outlives a request, with the
//! configured engine.
//!
//! [`Store`] bundles the queue, tunnels and tokens, the roster, and what relays exchange. Each
//! part is a trait that is defined beside the code that uses it. This module selects the engine.

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use podtap_disk::bell::Bell;

use crate::answers::{AnswerExchange, NoOthers};
use crate::config::{Limits, RelayConfig};
use crate::database::postgres::Postgres;
use crate::database::{self, DataFolderLock, Database, DatabaseUrl, PostgresError};
use crate::error::StartError;
use crate::metrics::Metrics;
use crate::postgres::{PgQueue, PgRegistry, RelayId};
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{EngineLimits, Queue};
use crate::refused::RefusedElsewhere;
use crate::roster::Roster;
use crate::roster::memory::MemoryRoster;
use crate::tunnel::registry::Registry;
use crate::tunnel::sqlite::SqliteRegistry;
use crate::tunnel::{self, TokenStore};

/// All parts of a relay's storage.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) roster: Arc<dyn Roster>,
    pub(crate) answers: Arc<dyn AnswerExchange>,
    /// Set if relays share the store.
    pub(crate) refused: Option<Arc<dyn RefusedElsewhere>>,
}

/// A store that one relay has opened.
#[derive(Debug)]
pub(crate) struct OpenStore {
    pub(crate) store: Store,
    /// Lock of an embedded database, which only one relay may use at a time.
    pub(crate) lock: Option<DataFolderLock>,
    place: StoreLocation,
}

/// Location of the store.
#[derive(Debug)]
enum StoreLocation {
    Folder(PathBuf),
    Shared(Box<DatabaseUrl>),
}

impl OpenStore {
    /// Opens the store that the configuration names.
    pub(crate) async fn of(
        config: &RelayConfig,
        limits: &Limits,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, StartError> {
        let metrics = Arc::clone(metrics);
        Ok(match &config.database {
            None => Self::folder(&config.data_dir, limits, metrics)?,
            Some(url) => Self::open_shared(url, limits, metrics).await?,
        })
    }

    /// Opens the embedded database of a folder.
    fn folder(
        data_dir: &Path,
        limits: &Limits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, database::DatabaseError> {
        let lock = DataFolderLock::take(data_dir)?;
        // The database is checked if the previous relay ended without releasing its lock.
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
            place: StoreLocation::Folder(data_dir.to_owned()),
        })
    }

    /// Opens a database that other relays may have open, too.
    async fn open_shared(
        url: &DatabaseUrl,
        limits: &Limits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, PostgresError> {
        let database = Postgres::open(url).await?;
        Ok(Self {
            store: Store::postgres(&database, limits.into(), metrics).await?,
            lock: None,
            place: StoreLocation::Shared(Box::new(url.clone())),
        })
    }

    /// Returns a bell that rings when another process may have changed the store. If the system
    /// cannot report writes, the bell rings every `otherwise`.
    pub(crate) fn bell(&self, otherwise: Duration) -> Bell {
        match &self.place {
            StoreLocation::Folder(data_dir) => Bell::at(Database::at(data_dir).path(), otherwise),
            StoreLocation::Shared(_) => Bell::every(otherwise),
        }
    }

    /// Returns the tokens and tunnels, for the operator.
    pub(crate) fn tokens(&self) -> Result<TokenStore, tunnel::TokenStoreError> {
        match &self.place {
            StoreLocation::Folder(data_dir) => TokenStore::open(data_dir),
            StoreLocation::Shared(_) => Ok(TokenStore::of(Arc::clone(&self.store.registry))),
        }
    }
}

impl fmt::Display for OpenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            StoreLocation::Folder(data_dir) => data_dir.display().fmt(f),
            StoreLocation::Shared(url) => url.fmt(f),
        }
    }
}

/// Opens the tokens and tunnels of a database, from any machine.
pub async fn tokens_of(url: &DatabaseUrl) -> Result<TokenStore, tunnel::TokenStoreError> {
    let database = Postgres::open(url).await?;
    Ok(TokenStore::of(Arc::new(PgRegistry::new(database))))
}

impl Store {
    /// Returns the store of the embedded engine.
    pub(crate) fn sqlite(
        database: Database,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, database::DatabaseError> {
        let queue = Arc::new(SqliteQueue::open(&database, limits, metrics)?);
        let registry = SqliteRegistry::of(database, Arc::clone(&queue));
        Ok(Self {
            queue,
            registry: Arc::new(registry),
            roster: Arc::new(MemoryRoster::default()),
            answers: Arc::new(NoOthers),
            refused: None,
        })
    }

    /// Returns the store of relays that share a database, and registers this relay there.
    pub(crate) async fn postgres(
        database: &Postgres,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, PostgresError> {
        let relay = RelayId::enter(database).await?;
        let (queue, roster, answers, refused) = PgQueue::start(database, relay, limits, metrics);
        Ok(Self {
            queue: Arc::new(queue),
            registry: Arc::new(PgRegistry::new(database.clone())),
            roster: Arc::new(roster),
            answers: Arc::new(answers),
            refused: Some(Arc::new(refused)),
        })
    }
}
