//! The running relay's view of tunnels and tokens: keys in memory, so that ingest never waits for
//! the disk; tokens looked up at each connect; changes of other processes noticed by a poll.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::{Connection, OptionalExtension as _};

use super::store;
use super::token::{Token, TokenHash, TokenId};
use crate::config::Rate;
use crate::ingest::Bucket;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{QueueError, TunnelId};

/// How exact `last_used_at` is: coarse, so that a storm of reconnections is not one of commits.
const LAST_USED_PRECISION: SignedDuration = SignedDuration::from_mins(1);

/// A tunnel that ingest may accept webhooks for.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) id: TunnelId,
    pub(crate) key: TunnelKey,
    pub(crate) name: TunnelName,
    bucket: Option<Mutex<Bucket>>,
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
    max_rate: Option<Rate>,
    tunnels: RwLock<HashMap<TunnelKey, Arc<Tunnel>>>,
    /// What the last poll saw. Held while tunnels are made or taken over from the database, so
    /// that a poll never drops the tunnel that is being made.
    seen: tokio::sync::Mutex<Revision>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Revision(i64);

impl Directory {
    /// Reads all tunnels.
    pub(crate) async fn load(
        queue: Arc<SqliteQueue>,
        max_rate: Option<Rate>,
    ) -> Result<Self, QueueError> {
        let directory = Self {
            queue,
            max_rate,
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
            .read(move |connection| find_token(connection, &wanted))
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
            self.write(move |connection| mark_used(connection, &used, now))
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
            .read(move |connection| find_token(connection, &token))
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
            .write(move |connection| find_or_make_tunnel(connection, &owner, &wanted, fresh))
            .await?;
        let mut tunnels = self.tunnels.write().unwrap_or_else(PoisonError::into_inner);
        let tunnel = tunnels
            .entry(key)
            .or_insert_with(|| self.entry(id, key, name));
        Ok(Arc::clone(tunnel))
    }

    /// Looks whether another process changed something, and if so takes it over. Answers what is
    /// still good then.
    pub(crate) async fn poll(&self) -> Result<Option<Standing>, QueueError> {
        let mut seen = self.seen.lock().await;
        let last = *seen;
        let Some(snapshot) = self
            .read(move |connection| changes(connection, last))
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
                .or_insert_with(|| self.entry(id, key, name));
        }
        tunnels.retain(|key, _| standing.keys.contains(key));
        *seen = snapshot.revision;
        Ok(Some(standing))
    }

    fn entry(&self, id: TunnelId, key: TunnelKey, name: TunnelName) -> Arc<Tunnel> {
        Arc::new(Tunnel {
            id,
            key,
            name,
            bucket: self.max_rate.map(|rate| Mutex::new(Bucket::full(rate))),
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

impl Tunnel {
    /// Takes one webhook out of the tunnel's rate, or says in how many seconds there is one.
    pub(crate) fn admit(&self, now: tokio::time::Instant) -> Result<(), std::time::Duration> {
        match &self.bucket {
            Some(bucket) => bucket
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(now),
            None => Ok(()),
        }
    }
}

struct KnownToken {
    owner: String,
    hash: TokenHash,
    last_used_at: Option<Timestamp>,
}

struct Snapshot {
    revision: Revision,
    tokens: HashSet<TokenId>,
    tunnels: Vec<(TunnelId, TunnelKey, TunnelName)>,
}

fn find_token(connection: &Connection, id: &TokenId) -> rusqlite::Result<Option<KnownToken>> {
    connection
        .prepare_cached(
            "SELECT owner, hash, last_used_at FROM tokens WHERE id = ?1 AND revoked_at IS NULL",
        )?
        .query_row([&id.0], |row| {
            let last_used_at: Option<i64> = row.get(2)?;
            Ok(KnownToken {
                owner: row.get(0)?,
                hash: TokenHash(row.get(1)?),
                last_used_at: last_used_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            })
        })
        .optional()
}

fn mark_used(connection: &Connection, id: &TokenId, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1")?
        .execute((&id.0, now.as_millisecond()))?;
    Ok(())
}

fn find_or_make_tunnel(
    connection: &Connection,
    owner: &str,
    name: &TunnelName,
    fresh: TunnelKey,
) -> rusqlite::Result<(TunnelId, TunnelKey)> {
    let find = || {
        connection
            .prepare_cached("SELECT id, key FROM tunnels WHERE owner = ?1 AND name = ?2")?
            .query_row((owner, name.as_str()), |row| {
                Ok((TunnelId(row.get(0)?), TunnelKey::from_bytes(row.get(1)?)))
            })
            .optional()
    };
    if let Some(found) = find()? {
        return Ok(found);
    }
    connection.execute(
        "INSERT INTO tunnels (owner, name, key, created_at) VALUES (?1, ?2, ?3, ?4)",
        (
            owner,
            name.as_str(),
            fresh.to_bytes(),
            Timestamp::now().as_millisecond(),
        ),
    )?;
    Ok((TunnelId(connection.last_insert_rowid()), fresh))
}

fn changes(connection: &Connection, seen: Revision) -> rusqlite::Result<Option<Snapshot>> {
    // One snapshot for all three.
    let connection = connection.unchecked_transaction()?;
    let revision = connection
        .prepare_cached("SELECT number FROM revision")?
        .query_row((), |row| row.get(0).map(Revision))?;
    if revision == seen {
        return Ok(None);
    }
    let tokens = connection
        .prepare_cached("SELECT id FROM tokens WHERE revoked_at IS NULL")?
        .query_map((), |row| row.get(0).map(TokenId))?
        .collect::<Result<_, _>>()?;
    let tunnels = connection
        .prepare_cached("SELECT id, key, name FROM tunnels")?
        .query_map((), |row| {
            let key = TunnelKey::from_bytes(row.get(1)?);
            Ok((TunnelId(row.get(0)?), key, store::name(row, 2)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some(Snapshot {
        revision,
        tokens,
        tunnels,
    }))
}

fn logged<T>(result: rusqlite::Result<T>) -> Result<T, QueueError> {
    result.map_err(|error| {
        tracing::error!(%error, "tunnels and tokens cannot be read or written");
        QueueError::Unavailable
    })
}
