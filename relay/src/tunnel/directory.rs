//! The running relay's view of tunnels and tokens: keys in memory, so that ingest never waits for
//! the disk; tokens looked up at each connect; changes of other processes noticed by a poll.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::Connection;

use super::rows::{self, Revision};
use super::token::{Token, TokenId};
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{QueueError, TunnelId};
use crate::refused::Refused;

/// How exact `last_used_at` is: coarse, so that a storm of reconnections is not one of commits.
const LAST_USED_PRECISION: SignedDuration = SignedDuration::from_mins(1);

/// A tunnel that ingest may accept webhooks for.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) id: TunnelId,
    pub(crate) key: TunnelKey,
    pub(crate) name: TunnelName,
    /// What its agent has to be told.
    pub(crate) refused: Refused,
}

/// Whom a token belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) token: TokenId,
}

/// What is still good after another process changed something.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) tokens: HashSet<TokenId>,
    pub(crate) keys: HashSet<TunnelKey>,
}

/// The tunnels and tokens of a running relay.
#[derive(Debug)]
pub(crate) struct Directory {
    queue: Arc<SqliteQueue>,
    tunnels: RwLock<HashMap<TunnelKey, Arc<Tunnel>>>,
    /// What the last poll saw. Held while tunnels are made or taken over from the database, so
    /// that a poll never drops the tunnel that is being made.
    seen: tokio::sync::Mutex<Revision>,
}

impl Directory {
    /// Reads all tunnels.
    pub(crate) async fn load(queue: Arc<SqliteQueue>) -> Result<Self, QueueError> {
        let directory = Self {
            queue,
            tunnels: RwLock::default(),
            seen: tokio::sync::Mutex::default(),
        };
        directory.poll().await?;
        Ok(directory)
    }

    /// The tunnel of a key, from memory.
    pub(crate) fn lookup(&self, key: &TunnelKey) -> Option<Arc<Tunnel>> {
        let tunnels = self.tunnels.read().unwrap_or_else(PoisonError::into_inner);
        tunnels.get(key).map(Arc::clone)
    }

    /// Whose token this is, looked up now; `None` for one that is malformed, unknown or revoked.
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Option<Owner>, QueueError> {
        let Ok(token) = token.parse::<Token>() else {
            return Ok(None);
        };
        let id = TokenId(token.id().to_owned());
        let wanted = id.clone();
        let known = self
            .read(move |connection| rows::find_token(connection, &wanted))
            .await?;
        let Some(known) = known.filter(|known| known.hash.matches(&token.hash())) else {
            return Ok(None);
        };
        let now = Timestamp::now();
        if known
            .last_used_at
            .is_none_or(|at| now.duration_since(at) > LAST_USED_PRECISION)
        {
            let used = id.clone();
            self.write(move |connection| rows::mark_used(connection, &used, now))
                .await?;
        }
        Ok(Some(Owner {
            name: known.owner,
            token: id,
        }))
    }

    /// Whether the token and the key are still good, looked up now.
    pub(crate) async fn is_current(
        &self,
        owner: &Owner,
        tunnel: &Tunnel,
    ) -> Result<bool, QueueError> {
        let token = owner.token.clone();
        let known = self
            .read(move |connection| rows::find_token(connection, &token))
            .await?;
        Ok(known.is_some() && self.lookup(&tunnel.key).is_some())
    }

    /// The owner's tunnel of this name, made at the first use of the name.
    pub(crate) async fn tunnel(
        &self,
        owner: &str,
        name: TunnelName,
    ) -> Result<Arc<Tunnel>, QueueError> {
        let fresh = TunnelKey::generate().map_err(|error| {
            tracing::error!(%error, "a tunnel's key cannot be made");
            QueueError::Unavailable
        })?;
        let (owner, wanted) = (owner.to_owned(), name.clone());
        let _seen = self.seen.lock().await;
        let (id, key) = self
            .write(move |connection| rows::find_or_make_tunnel(connection, &owner, &wanted, fresh))
            .await?;
        let mut tunnels = self.tunnels.write().unwrap_or_else(PoisonError::into_inner);
        let tunnel = tunnels
            .entry(key)
            .or_insert_with(|| Self::entry(id, key, name));
        Ok(Arc::clone(tunnel))
    }

    /// Looks whether another process changed something, and if so takes it over. Answers what is
    /// still good then.
    pub(crate) async fn poll(&self) -> Result<Option<Standing>, QueueError> {
        let mut seen = self.seen.lock().await;
        let last = *seen;
        let Some(snapshot) = self
            .read(move |connection| rows::changes(connection, last))
            .await?
        else {
            return Ok(None);
        };
        let mut standing = Standing {
            tokens: snapshot.tokens,
            keys: HashSet::with_capacity(snapshot.tunnels.len()),
        };
        let mut tunnels = self.tunnels.write().unwrap_or_else(PoisonError::into_inner);
        for (id, key, name) in snapshot.tunnels {
            standing.keys.insert(key);
            tunnels
                .entry(key)
                .or_insert_with(|| Self::entry(id, key, name));
        }
        tunnels.retain(|key, _| standing.keys.contains(key));
        *seen = snapshot.revision;
        Ok(Some(standing))
    }

    fn entry(id: TunnelId, key: TunnelKey, name: TunnelName) -> Arc<Tunnel> {
        Arc::new(Tunnel {
            id,
            key,
            name,
            refused: Refused::default(),
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueueError> {
        let done = self.queue.readers().run(work).await;
        logged(done.map_err(|_| QueueError::Unavailable)?)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueueError> {
        logged(self.queue.write(|connection| work(connection)).await?)
    }
}

fn logged<T>(result: rusqlite::Result<T>) -> Result<T, QueueError> {
    result.map_err(|error| {
        tracing::error!(%error, "tunnels and tokens cannot be read or written");
        QueueError::Unavailable
    })
}
