//! Implements the registry in the embedded database, for a running relay, whose queue owns
//! the connections, and for a command line beside it, with its own connection.

mod change;
mod rows;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use podtap_disk::bell;
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::Connection;

use super::error::TokenStoreError;
use super::info::{AgentConnection, RevokedCounts, RotatedKey, TokenInfo, TunnelInfo};
use super::registry::{
    KnownToken, Registry, RegistryRevision, Snapshot, TunnelGrant, TunnelRequest,
};
use super::token::{Token, TokenId};
use crate::database::{DataFolderLock, Database};
use crate::queue::TunnelId;
use crate::queue::sqlite::SqliteQueue;

/// Tunnels and tokens of a data folder.
#[derive(Debug)]
pub(crate) struct SqliteRegistry {
    database: Database,
    connections: Connections,
}

/// Connections on which the statements run.
#[derive(Debug)]
enum Connections {
    /// Threads of the relay in this process.
    Relay(Arc<SqliteQueue>),
    /// One connection, for a command that ends soon.
    Own(Mutex<Connection>),
}

impl SqliteRegistry {
    /// Returns the registry of the relay in this process.
    pub(crate) fn of(database: Database, queue: Arc<SqliteQueue>) -> Self {
        Self {
            database,
            connections: Connections::Relay(queue),
        }
    }

    /// Opens the registry beside a relay, or without one.
    pub(crate) fn beside(database: Database) -> Result<Self, TokenStoreError> {
        let connection = Mutex::new(database.writer()?);
        Ok(Self {
            database,
            connections: Connections::Own(connection),
        })
    }

    fn read<T: Send + 'static>(
        &self,
        attempt: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, TokenStoreError>> {
        async move {
            let done = match &self.connections {
                Connections::Relay(queue) => {
                    let done = queue.readers().run(work).await;
                    done.map_err(|_| TokenStoreError::Unavailable)?
                }
                Connections::Own(connection) => with(connection, work),
            };
            Ok(done.map_err(self.database.error_in(attempt))?)
        }
        .boxed()
    }

    fn write<T: Send + 'static>(
        &self,
        attempt: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, TokenStoreError>> {
        async move {
            let done = match &self.connections {
                Connections::Relay(queue) => {
                    let done = queue.write(|connection| work(connection)).await;
                    done.map_err(|_| TokenStoreError::Unavailable)?
                }
                Connections::Own(connection) => {
                    let done = with(connection, work);
                    bell::ring(self.database.path());
                    done
                }
            };
            Ok(done.map_err(self.database.error_in(attempt))?)
        }
        .boxed()
    }
}

/// Runs `work` on this thread, because a command line has nothing else to do meanwhile.
fn with<T>(connection: &Mutex<Connection>, work: impl FnOnce(&Connection) -> T) -> T {
    work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Registry for SqliteRegistry {
    fn find_token(
        &self,
        id: TokenId,
    ) -> BoxFuture<'_, Result<Option<KnownToken>, TokenStoreError>> {
        self.read("find a token", move |connection| {
            rows::find_token(connection, &id)
        })
    }

    fn mark_used(&self, id: TokenId, now: Timestamp) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.write("note the use of a token", move |connection| {
            rows::mark_used(connection, &id, now)
        })
    }

    fn want_tunnel(
        &self,
        request: TunnelRequest,
    ) -> BoxFuture<'_, Result<TunnelGrant, TokenStoreError>> {
        self.write("find or make a tunnel", move |connection| {
            rows::want_tunnel(connection, &request)
        })
    }

    fn changes(
        &self,
        seen: RegistryRevision,
        max_age: Duration,
    ) -> BoxFuture<'_, Result<Option<Snapshot>, TokenStoreError>> {
        self.read("look for changes", move |connection| {
            rows::changes(connection, seen, max_age)
        })
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn tell_sessions(
        &self,
        sessions: Vec<(TunnelId, AgentConnection)>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.write("tell who is connected", move |connection| {
            rows::tell_sessions(connection, &sessions)
        })
    }

    fn tell_public_url(&self, url: String) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.write("tell the public URL", move |connection| {
            rows::tell_fact(connection, rows::PUBLIC_URL, &url)
        })
    }

    fn public_url(&self) -> BoxFuture<'_, Result<Option<String>, TokenStoreError>> {
        self.read("read the public URL", |connection| {
            rows::fact(connection, rows::PUBLIC_URL)
        })
    }

    fn tunnels(
        &self,
        owner: Option<String>,
    ) -> BoxFuture<'_, Result<Vec<TunnelInfo>, TokenStoreError>> {
        async move {
            let list = self.read("list the tunnels", move |connection| {
                change::list(connection, owner.as_deref(), Timestamp::now())
            });
            let mut list = list.await?;
            if !DataFolderLock::is_taken(self.database.folder()) {
                for tunnel in &mut list {
                    tunnel.connected = None;
                }
            }
            Ok(list)
        }
        .boxed()
    }

    fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        fresh: TunnelKey,
        grace: Duration,
    ) -> BoxFuture<'_, Result<Option<RotatedKey>, TokenStoreError>> {
        self.write("give a tunnel a new key", move |connection| {
            change::rotate(connection, &owner, &name, fresh, grace)
        })
    }

    fn delete(
        &self,
        owner: String,
        name: TunnelName,
    ) -> BoxFuture<'_, Result<bool, TokenStoreError>> {
        self.write("delete a tunnel", move |connection| {
            change::delete(connection, &owner, &name)
        })
    }

    fn add_token(&self, token: Token, owner: String) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.write("store a token", move |connection| {
            tokens::add(connection, &token, &owner)
        })
    }

    fn tokens(&self) -> BoxFuture<'_, Result<Vec<TokenInfo>, TokenStoreError>> {
        self.read("list the tokens", tokens::list)
    }

    fn revoke(
        &self,
        owner_or_id: String,
        with_tunnels: bool,
    ) -> BoxFuture<'_, Result<RevokedCounts, TokenStoreError>> {
        async move {
            let revoked = self.write("revoke a token", move |connection| {
                tokens::revoke(connection, &owner_or_id, with_tunnels)
            });
            revoked.await?
        }
        .boxed()
    }
}
