//! A PostgreSQL database that relays share: connections that promise what is needed, and a schema
//! that is up to date.

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

/// Connections for what is read and seldom written; the queue's writer has one of its own.
const CONNECTIONS: usize = 8;

/// How long one may be waited for, made, or tried.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database whose schema is this build's.
#[derive(Clone)]
pub(crate) struct Postgres {
    connector: PostgresConnector,
    pool: Pool,
    url: String,
}

impl Postgres {
    /// Connects, checks what is there, and brings the schema up to date.
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, PostgresError> {
        let connector = PostgresConnector::new(url.clone())?;
        connector.prepare().await?;
        let config = ManagerConfig::default();
        // The connector has its own configuration.
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

    /// A connection from the pool.
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

    /// Turns what the driver said into an error that names this database.
    pub(crate) fn on_error(&self, attempt: &'static str) -> impl Fn(Error) -> PostgresError + '_ {
        move |error| PostgresError::of(attempt, &self.url, &error)
    }

    /// The way to connections of one's own.
    pub(crate) fn connector(&self) -> &PostgresConnector {
        &self.connector
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.url).finish()
    }
}
