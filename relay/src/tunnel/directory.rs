//! The running relay's view of tunnels and tokens: keys in memory, so that ingest never waits for
//! the disk; tokens looked up at each connect; changes of other processes noticed by a poll.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::Connection;
use url::Url;

use super::change::{self, Connected, Rotated, TunnelInfo};
use super::rows::{self, KnownTunnel, Revision, Wanted};
use super::token::{Token, TokenId};
use crate::config::Limits;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{QueueError, TunnelId};
use crate::refused::Refused;

/// How exact `last_used_at` is: coarse, so that a storm of reconnections is not one of commits.
const LAST_USED_PRECISION: SignedDuration = SignedDuration::from_mins(1);

/// A tunnel that ingest may accept webhooks for.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) id: TunnelId,
    /// The key of its URL; one that was replaced may lead here as well.
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

/// A tunnel found by a key.
#[derive(Debug, Clone)]
struct Entry {
    tunnel: Arc<Tunnel>,
    /// When the key leads here no more: it was replaced, or the owner has no token.
    until: Option<Timestamp>,
}

/// An agent's tunnel, and its place among those that have served it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) tunnel: Arc<Tunnel>,
    pub(crate) epoch: u64,
}

/// Why an agent gets no tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTunnel {
    /// The owner has as many as one may have.
    TooMany,
    /// The storage does not work.
    Unavailable,
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
    max_age: Duration,
    max_owner_tunnels: u64,
    tunnels: RwLock<HashMap<TunnelKey, Entry>>,
    /// What the last poll saw. Held while tunnels are made or taken over from the database, so
    /// that a poll never drops the tunnel that is being made.
    seen: tokio::sync::Mutex<Revision>,
}

impl Directory {
    /// Reads all tunnels.
    pub(crate) async fn load(queue: Arc<SqliteQueue>, limits: &Limits) -> Result<Self, QueueError> {
        let directory = Self {
            queue,
            max_age: limits.max_age,
            max_owner_tunnels: limits.max_owner_tunnels,
            tunnels: RwLock::default(),
            seen: tokio::sync::Mutex::default(),
        };
        directory.poll().await?;
        Ok(directory)
    }

    /// The tunnel of a key, from memory.
    pub(crate) fn lookup(&self, key: &TunnelKey) -> Option<Arc<Tunnel>> {
        let tunnels = self.tunnels.read().unwrap_or_else(PoisonError::into_inner);
        let Entry { tunnel, until } = tunnels.get(key)?;
        let is_open = until.is_none_or(|until| Timestamp::now() < until);
        is_open.then(|| Arc::clone(tunnel))
    }

    /// Whose token this is, looked up now; `None` for one that is malformed, unknown or revoked.
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Option<Owner>, QueueError> {
        let Ok(token) = token.parse::<Token>() else {
            return Ok(None);
        };
        let id = TokenId::of(token.id());
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

    /// The owner's tunnel of this name, made at the first use of the name, for an agent that says
    /// which epoch it had.
    pub(crate) async fn tunnel(
        &self,
        owner: &str,
        name: TunnelName,
        epoch: Option<u64>,
    ) -> Result<Served, NoTunnel> {
        let fresh = fresh_key().map_err(|_| NoTunnel::Unavailable)?;
        let (owner, wanted) = (owner.to_owned(), name.clone());
        let max = self.max_owner_tunnels;
        let _seen = self.seen.lock().await;
        let found = self
            .write(move |connection| {
                rows::want_tunnel(connection, &owner, &wanted, epoch, fresh, max)
            })
            .await
            .map_err(|_| NoTunnel::Unavailable)?;
        let Wanted::Found { id, key, epoch } = found else {
            return Err(NoTunnel::TooMany);
        };
        let mut tunnels = self.tunnels.write().unwrap_or_else(PoisonError::into_inner);
        let entry = tunnels.entry(key).or_insert_with(|| Entry {
            tunnel: Arc::new(Tunnel::new(id, key, name)),
            until: None,
        });
        let tunnel = Arc::clone(&entry.tunnel);
        Ok(Served { tunnel, epoch })
    }

    /// The owner's tunnels.
    pub(crate) async fn list(&self, owner: String) -> Result<Vec<TunnelInfo>, QueueError> {
        self.read(move |connection| change::list(connection, Some(&owner), Timestamp::now()))
            .await
    }

    /// Gives a tunnel of the owner a new key; `None` where there is no such tunnel.
    pub(crate) async fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        grace: Duration,
    ) -> Result<Option<Rotated>, QueueError> {
        let fresh = fresh_key()?;
        self.write(move |connection| change::rotate(connection, &owner, &name, fresh, grace))
            .await
    }

    /// Deletes a tunnel of the owner. Whether there was one.
    pub(crate) async fn delete(&self, owner: String, name: TunnelName) -> Result<bool, QueueError> {
        self.write(move |connection| change::delete(connection, &owner, &name))
            .await
    }

    /// Keeps for the command line who is connected.
    pub(crate) async fn tell_sessions(
        &self,
        sessions: Vec<(TunnelId, Connected)>,
    ) -> Result<(), QueueError> {
        self.write(move |connection| {
            let sessions = sessions
                .iter()
                .map(|(tunnel, connected)| (*tunnel, connected));
            rows::tell_sessions(connection, sessions)
        })
        .await
    }

    /// Keeps for the command line how the world reaches this relay.
    pub(crate) async fn tell_public_url(&self, url: String) -> Result<(), QueueError> {
        self.write(move |connection| rows::tell_fact(connection, rows::PUBLIC_URL, &url))
            .await
    }

    /// Looks whether another process changed something, and if so takes it over. Answers what is
    /// still good then.
    pub(crate) async fn poll(&self) -> Result<Option<Standing>, QueueError> {
        let mut seen = self.seen.lock().await;
        let (last, max_age) = (*seen, self.max_age);
        let Some(snapshot) = self
            .read(move |connection| rows::changes(connection, last, max_age))
            .await?
        else {
            return Ok(None);
        };
        let mut standing = Standing {
            tokens: snapshot.tokens,
            keys: HashSet::with_capacity(snapshot.tunnels.len()),
        };
        let mut tunnels = self.tunnels.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::with_capacity(snapshot.tunnels.len());
        let mut by_id = HashMap::new();
        let replaced: HashSet<TunnelId> = snapshot.old_keys.iter().map(|(_, id, _)| *id).collect();
        for known in snapshot.tunnels {
            let KnownTunnel {
                id,
                key,
                name,
                until,
            } = known;
            standing.keys.insert(key);
            let tunnel = match tunnels.get(&key) {
                Some(entry) if entry.tunnel.key == key => Arc::clone(&entry.tunnel),
                _ => Arc::new(Tunnel::new(id, key, name)),
            };
            let entry = Entry { tunnel, until };
            if replaced.contains(&id) {
                by_id.insert(id, entry.clone());
            }
            next.insert(key, entry);
        }
        for (key, id, until) in snapshot.old_keys {
            if let Some(Entry { tunnel, until: end }) = by_id.get(&id) {
                let (tunnel, until) = (Arc::clone(tunnel), Some(end.unwrap_or(until).min(until)));
                next.insert(key, Entry { tunnel, until });
            }
        }
        *tunnels = next;
        *seen = snapshot.revision;
        Ok(Some(standing))
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

impl Tunnel {
    pub(crate) fn new(id: TunnelId, key: TunnelKey, name: TunnelName) -> Self {
        Self {
            id,
            key,
            name,
            refused: Refused::default(),
        }
    }

    /// Where the world reaches it, below the relay's public URL.
    pub(crate) fn url(&self, public_url: &Url) -> String {
        url(public_url, &self.key)
    }
}

/// The URL of a tunnel below a relay's public URL.
pub(crate) fn url(public_url: &Url, key: &TunnelKey) -> String {
    format!("{}/{key}/", public_url.as_str().trim_end_matches('/'))
}

fn fresh_key() -> Result<TunnelKey, QueueError> {
    TunnelKey::generate().map_err(|error| {
        tracing::error!(%error, "a tunnel's key cannot be made");
        QueueError::Unavailable
    })
}

fn logged<T>(result: rusqlite::Result<T>) -> Result<T, QueueError> {
    result.map_err(|error| {
        tracing::error!(%error, "tunnels and tokens cannot be read or written");
        QueueError::Unavailable
    })
}
