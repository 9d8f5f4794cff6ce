//! Opens connections to PostgreSQL with the settings on which the relay's promises depend.

use std::fmt;

use deadpool_postgres::Connect;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{PostgresError, words};
use super::schema;
use super::url::DatabaseUrl;

/// Settings of every connection. A commit is on stable storage when it is reported, also on
/// a synchronous standby if there is one. The timeouts keep a relay that froze during a
/// transaction from blocking the tunnels of other relays for long.
const SETTINGS: &str = "
    SELECT set_config('synchronous_commit',
        CASE WHEN current_setting('synchronous_commit') IN ('on', 'remote_apply')
             THEN current_setting('synchronous_commit') ELSE 'on' END, false);
    SET idle_in_transaction_session_timeout = '10s';
    SET lock_timeout = '5s';
    SET statement_timeout = '30s';";

/// Oldest supported version of the server.
const OLDEST: i32 = 140_000;

/// Number of checks for a pooler. Each check uses two connections in turn.
const POOLER_ROUNDS: usize = 4;

/// Opens connections to one database.
#[derive(Clone)]
pub(crate) struct PostgresConnector {
    pub(super) url: DatabaseUrl,
    tls: MakeRustlsConnect,
}

/// Client of the driver and the connection that must be polled for it.
pub(crate) type DriverConnection = (
    Client,
    Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>,
);

/// Connection with one user, outside the pool. It is closed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Own {
    fn drop(&mut self) {
        // Closes the connection at once, even if the server is still working on a request.
        self.task.abort();
    }
}

impl PostgresConnector {
    pub(super) fn new(url: DatabaseUrl) -> Result<Self, PostgresError> {
        let tls = super::tls::connector(&url)?;
        Ok(Self { url, tls })
    }

    /// Opens a connection that the caller polls. No settings are applied.
    pub(crate) async fn raw(&self) -> Result<DriverConnection, Error> {
        self.url.config.connect(self.tls.clone()).await
    }

    /// Opens a connection and applies [`SETTINGS`].
    async fn fit(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, task) = self.bare().await?;
        if let Err(error) = client.batch_execute(SETTINGS).await {
            task.abort();
            return Err(error);
        }
        Ok((client, task))
    }

    /// Opens a connection with one user, outside the pool.
    pub(crate) async fn own(&self) -> Result<Own, Error> {
        let (client, task) = self.fit().await?;
        Ok(Own { client, task })
    }

    /// Checks that the database is usable, and brings its schema up to date.
    pub(super) async fn prepare(&self) -> Result<(), PostgresError> {
        let url = self.url.to_string();
        let failed = |attempt| {
            let url = url.clone();
            move |error: Error| PostgresError::of(attempt, &url, &error)
        };
        if self.has_pooler().await.map_err(failed("connect"))? {
            return Err(PostgresError::Pooled { url });
        }
        let mut own = self.own().await.map_err(failed("connect"))?;
        let facts = own
            .client
            .query_one(
                "SELECT current_setting('server_version_num')::integer AS number,
                        current_setting('server_version') AS version,
                        current_setting('server_encoding') AS encoding,
                        current_setting('fsync') AS fsync",
                &[],
            )
            .await
            .map_err(failed("ask for the version"))?;
        let (number, found): (i32, String) = (facts.get("number"), facts.get("version"));
        if number < OLDEST {
            return Err(PostgresError::TooOld { url, found });
        }
        let encoding: String = facts.get("encoding");
        if encoding != "UTF8" {
            let found = encoding;
            return Err(PostgresError::Encoding { url, found });
        }
        if facts.get::<_, &str>("fsync") != "on" {
            tracing::warn!(
                database = url,
                "fsync is off in this database: accepted webhooks are lost if its machine fails"
            );
        }
        let migrated = schema::migrate(&mut own.client).await;
        migrated
            .map_err(failed("bring the schema up to date"))?
            .map_err(|found| PostgresError::Newer {
                url,
                found,
                known: schema::newest(),
            })
    }

    /// Returns whether a pooler assigns server processes to connections. Without a pooler, each
    /// of two connections keeps its own server process.
    async fn has_pooler(&self) -> Result<bool, Error> {
        let process = async |client: &Client| {
            let rows = client.simple_query("SELECT pg_backend_pid()").await?;
            let pid = rows.iter().find_map(|row| match row {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
            Ok::<_, Error>(pid)
        };
        // Both tasks end when their clients are dropped.
        let ((one, _), (another, _)) = (self.bare().await?, self.bare().await?);
        let own = process(&one).await?;
        for _ in 0..POOLER_ROUNDS {
            let others = process(&another).await?;
            if others == own || process(&one).await? != own {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens a connection without settings.
    async fn bare(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, connection) = self.raw().await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "whoever gets the client owns the task by its handle"
        )]
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = words(&error), "a database connection ended");
            }
        });
        Ok((client, task))
    }
}

impl fmt::Debug for PostgresConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.url).finish()
    }
}

impl Connect for PostgresConnector {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        self.fit().boxed()
    }
}
