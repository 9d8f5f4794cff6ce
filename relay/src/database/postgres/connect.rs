//! Connections to the database, each made fit for what a relay promises.

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

/// What every connection is told. A commit is on stable storage when it is reported, on a
/// synchronous standby as well where there is one; a relay that was frozen amid a transaction keeps
/// no other from its tunnels for long.
const SETTINGS: &str = "
    SELECT set_config('synchronous_commit',
        CASE WHEN current_setting('synchronous_commit') IN ('on', 'remote_apply')
             THEN current_setting('synchronous_commit') ELSE 'on' END, false);
    SET idle_in_transaction_session_timeout = '10s';
    SET lock_timeout = '5s';
    SET statement_timeout = '30s';";

/// The oldest server that will do.
const OLDEST: i32 = 140_000;

/// How often a pooler is looked for: two connections that take turns.
const POOLER_ROUNDS: usize = 4;

/// A way to make connections.
#[derive(Clone)]
pub(crate) struct PostgresConnector {
    pub(super) url: DatabaseUrl,
    tls: MakeRustlsConnect,
}

/// A connection as the driver has it: what is sent, and what must be polled for it.
pub(crate) type Raw = (
    Client,
    Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>,
);

/// A connection of one's own; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Own {
    fn drop(&mut self) {
        // At once, whatever the server is still asked for.
        self.task.abort();
    }
}

impl PostgresConnector {
    pub(super) fn new(url: DatabaseUrl) -> Result<Self, PostgresError> {
        let tls = super::tls::connector(&url)?;
        Ok(Self { url, tls })
    }

    /// A connection that the caller polls; nothing is set on it.
    pub(crate) async fn raw(&self) -> Result<Raw, Error> {
        self.url.config.connect(self.tls.clone()).await
    }

    /// A connection with what every one is told.
    async fn fit(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, task) = self.bare().await?;
        if let Err(error) = client.batch_execute(SETTINGS).await {
            task.abort();
            return Err(error);
        }
        Ok((client, task))
    }

    /// A connection of one's own.
    pub(crate) async fn own(&self) -> Result<Own, Error> {
        let (client, task) = self.fit().await?;
        Ok(Own { client, task })
    }

    /// Checks that the database will do, and brings its schema up to date.
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

    /// Two connections have a server process each, and keep it, unless a pooler shares them out.
    async fn has_pooler(&self) -> Result<bool, Error> {
        let process = async |client: &Client| {
            let rows = client.simple_query("SELECT pg_backend_pid()").await?;
            let pid = rows.iter().find_map(|row| match row {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
            Ok::<_, Error>(pid)
        };
        // They end with their clients.
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

    /// A connection on which nothing is set.
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
