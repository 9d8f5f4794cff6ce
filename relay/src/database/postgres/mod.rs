//! Opens a PostgreSQL database that several relays share, checks it and brings its schema
//! up to date.

mod connect;
mod error;
mod schema;
mod tls;
mod url;

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, Runtime};
use tokio_postgres::{Config, Error};

pub(crate) use connect::{Own, PostgresConnector};
pub use error::PostgresError;
pub(crate) use error::words;
#[cfg(test)]
pub(crate) use schema::newest;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

/// Size of the connection pool. It serves reads and rare writes; the writer of the queue
/// has its own connection.
const CONNECTIONS: usize = 8;

/// Maximum time to wait for a pooled connection, to open one, or to test one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Database whose schema is the schema of this build.
#[derive(Clone)]
pub(crate) struct Postgres {
    connector: PostgresConnector,
    pool: Pool,
    url: String,
}

impl Postgres {
    /// Connects, checks the server and the database, and brings the schema up to date.
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, PostgresError> {
        let connector = PostgresConnector::new(url.clone())?;
        connector.prepare().await?;
        let config = ManagerConfig::default();
        // The pool's configuration is empty because the connector has its own.
        let manager = Manager::from_connect(Config::new(), connector.clone(), config);
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .build();
        let url = url.to_string();
        let pool = pool.map_err(|error| PostgresError::Unreachable {
            url: url.clone(),
            why: error.to_string(),
        })?;
        Ok(Self {
            connector,
            pool,
            url,
        })
    }

    /// Returns a connection from the pool.
    pub(crate) async fn client(&self) -> Result<Object, PostgresError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => PostgresError::of("connect", &self.url, &error),
            error => PostgresError::Unreachable {
                url: self.url.clone(),
                why: match error {
                    PoolError::Timeout(_) => "it does not answer in time".to_owned(),
                    error => error.to_string(),
                },
            },
        })
    }

    /// Returns a function that converts an error of the driver into an error that names this
    /// database.
    pub(crate) fn on_error(&self, attempt: &'static str) -> impl Fn(Error) -> PostgresError + '_ {
        move |error| PostgresError::of(attempt, &self.url, &error)
    }

    /// Returns the connector, for connections outside the pool.
    pub(crate) fn connector(&self) -> &PostgresConnector {
        &self.connector
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.url).finish()
    }
}
