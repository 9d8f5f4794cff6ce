//! Gives the running relay its view of tunnels and tokens.
//!
//! Keys are in memory, so that ingest never waits for the disk. Tokens are looked up
//! whenever an agent connects. Changes of other processes are noticed by polling, and for
//! an unknown key at once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_wire::{TunnelKey, TunnelName};
use url::Url;

use super::error::TokenStoreError;
use super::info::{AgentConnection, RotatedKey, TunnelInfo};
use super::registry::{KnownTunnel, Registry, RegistryRevision, TunnelGrant, TunnelRequest};
use super::token::{Token, TokenId};
use crate::config::Limits;
use crate::queue::{QueueError, TunnelId};
use crate::refusal::Refusal;
use crate::refused::TunnelRefusals;

/// Precision of `last_used_at`. It is coarse, so that many reconnections do not cause many commits.
const LAST_USED_PRECISION: SignedDuration = SignedDuration::from_mins(1);

/// A tunnel for which ingest may accept webhooks.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) id: TunnelId,
    /// Current key of its URL. Replaced keys may lead to this tunnel as well.
    pub(crate) key: TunnelKey,
    pub(crate) name: TunnelName,
    /// Refusals of which its agent must be informed.
    pub(crate) refused: TunnelRefusals,
}

/// Owner of a token.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) token: TokenId,
}

/// A tunnel as found by a key.
#[derive(Debug, Clone)]
struct DirectoryEntry {
    tunnel: Arc<Tunnel>,
    /// Time from which the key does not work any more, because it was replaced or the owner has
    /// no token.
    until: Option<Timestamp>,
}

/// An agent's tunnel, and the epoch of the agent.
#[derive(Debug)]
pub(crate) struct ServedTunnel {
    pub(crate) tunnel: Arc<Tunnel>,
    pub(crate) epoch: u64,
}

/// Reason why an agent gets no tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTunnel {
    /// The owner has the maximum number of tunnels.
    TooMany,
    /// The storage does not work.
    Unavailable,
}

/// Tokens and keys that are still valid after another process changed something.
#[derive(Debug, Default)]
pub(crate) struct StillValid {
    pub(crate) tokens: HashSet<TokenId>,
    pub(crate) keys: HashSet<TunnelKey>,
}

/// Tunnels and tokens of a running relay.
#[derive(Debug)]
pub(crate) struct Directory {
    registry: Arc<dyn Registry>,
    max_age: Duration,
    max_owner_tunnels: u64,
    tunnels: RwLock<HashMap<TunnelKey, DirectoryEntry>>,
    /// State of the last refresh. It is locked while a tunnel is created or loaded, so that a
    /// refresh at the same time does not drop that tunnel.
    seen: tokio::sync::Mutex<SeenRegistry>,
    /// Number of refreshes that were started, so that many unknown keys at once cause one refresh.
    looks: AtomicU64,
    /// If relays share the store: tunnels with refusals that the store does not have yet.
    refused: Mutex<HashMap<TunnelId, Arc<Tunnel>>>,
}

#[derive(Debug, Default)]
struct SeenRegistry {
    revision: RegistryRevision,
    /// Valid tokens and keys that [`Directory::poll`] has not returned yet.
    standing: Option<StillValid>,
}

impl Directory {
    /// Reads all tunnels.
    pub(crate) async fn load(
        registry: Arc<dyn Registry>,
        limits: &Limits,
    ) -> Result<Self, QueueError> {
        let directory = Self {
            registry,
            max_age: limits.max_age,
            max_owner_tunnels: limits.max_owner_tunnels,
            tunnels: RwLock::default(),
            seen: tokio::sync::Mutex::default(),
            looks: AtomicU64::default(),
            refused: Mutex::default(),
        };
        directory.poll().await?;
        Ok(directory)
    }

    /// Returns the tunnel of a key, from memory.
    pub(crate) fn lookup(&self, key: &TunnelKey) -> Option<Arc<Tunnel>> {
        let tunnels = self.tunnels.read().unwrap_or_else(PoisonError::into_inner);
        let DirectoryEntry { tunnel, until } = tunnels.get(key)?;
        let is_open = until.is_none_or(|until| Timestamp::now() < until);
        is_open.then(|| Arc::clone(tunnel))
    }

    /// Records that a webhook for this key was refused, so that its owner is informed.
    pub(crate) fn note_refused(&self, key: &TunnelKey, refusal: Refusal) {
        let Some(tunnel) = self.lookup(key) else {
            return;
        };
        tunnel.refused.note(refusal, Timestamp::now());
        if self.registry.is_shared() {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.insert(tunnel.id, tunnel);
        }
    }

    /// Returns the tunnels with unreported refusals whose agents are connected elsewhere.
    pub(crate) fn refused_elsewhere(
        &self,
        is_elsewhere: impl Fn(TunnelId) -> bool,
    ) -> Vec<Arc<Tunnel>> {
        self.tunnels_with_refusals(|tunnel| tunnel.refused.is_untold() && is_elsewhere(tunnel.id))
    }

    /// Returns the tunnels with refusals that the store does not count yet.
    pub(crate) fn refused_and_not_kept(&self) -> Vec<Arc<Tunnel>> {
        self.tunnels_with_refusals(|tunnel| tunnel.refused.is_ahead())
    }

    fn tunnels_with_refusals(&self, is_meant: impl Fn(&Tunnel) -> bool) -> Vec<Arc<Tunnel>> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, tunnel| tunnel.refused.is_untold() || tunnel.refused.is_ahead());
        let tunnels = refused.values().filter(|tunnel| is_meant(tunnel));
        tunnels.cloned().collect()
    }

    /// Returns whether other relays serve the same tunnels.
    pub(crate) fn is_shared(&self) -> bool {
        self.registry.is_shared()
    }

    /// Returns the tunnel of a key. If the key is unknown, another relay may just have created
    /// the tunnel, so the store is read.
    pub(crate) async fn find(&self, key: &TunnelKey) -> Option<Arc<Tunnel>> {
        let known = self.lookup(key);
        if known.is_some() || !self.registry.is_shared() {
            return known;
        }
        let begun = self.looks.load(Ordering::Acquire);
        let mut seen = self.seen.lock().await;
        // A refresh that another caller started meanwhile has finished and covers this request too.
        if self.looks.load(Ordering::Acquire) == begun
            && let Err(error) = self.refresh(&mut seen).await
        {
            tracing::debug!(%error, "an unknown key cannot be looked up");
        }
        self.lookup(key)
    }

    /// Looks up the owner of a token in the store. Returns `None` for a token that is
    /// malformed, unknown or revoked.
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Option<Owner>, QueueError> {
        let Ok(token) = token.parse::<Token>() else {
            return Ok(None);
        };
        let id = TokenId::of(token.id());
        let known = log_error(self.registry.find_token(id.clone()).await)?;
        let Some(known) = known.filter(|known| known.hash.matches(&token.hash())) else {
            return Ok(None);
        };
        let now = Timestamp::now();
        if known
            .last_used_at
            .is_none_or(|at| now.duration_since(at) > LAST_USED_PRECISION)
        {
            log_error(self.registry.mark_used(id.clone(), now).await)?;
        }
        Ok(Some(Owner {
            name: known.owner,
            token: id,
        }))
    }

    /// Returns whether the token and the key are still valid. The token is looked up in the store.
    pub(crate) async fn is_current(
        &self,
        owner: &Owner,
        tunnel: &Tunnel,
    ) -> Result<bool, QueueError> {
        let known = log_error(self.registry.find_token(owner.token.clone()).await)?;
        Ok(known.is_some() && self.lookup(&tunnel.key).is_some())
    }

    /// Returns the owner's tunnel of this name, which is created at the first use of the name.
    /// `epoch` is the epoch that the agent had before.
    pub(crate) async fn tunnel(
        &self,
        owner: &str,
        name: TunnelName,
        epoch: Option<u64>,
    ) -> Result<ServedTunnel, NoTunnel> {
        let fresh = fresh_key().map_err(|_| NoTunnel::Unavailable)?;
        let request = TunnelRequest {
            owner: owner.to_owned(),
            name: name.clone(),
            epoch,
            fresh,
            max_tunnels: self.max_owner_tunnels,
        };
        let _seen = self.seen.lock().await;
        let found = log_error(self.registry.want_tunnel(request).await);
        let found = found.map_err(|_| NoTunnel::Unavailable)?;
        let TunnelGrant::Found { id, key, epoch } = found else {
            return Err(NoTunnel::TooMany);
        };
        let mut tunnels = self.tunnels.write().unwrap_or_else(PoisonError::into_inner);
        let entry = tunnels.entry(key).or_insert_with(|| DirectoryEntry {
            tunnel: Arc::new(Tunnel::new(id, key, name)),
            until: None,
        });
        let tunnel = Arc::clone(&entry.tunnel);
        Ok(ServedTunnel { tunnel, epoch })
    }

    pub(crate) async fn list(&self, owner: String) -> Result<Vec<TunnelInfo>, QueueError> {
        log_error(self.registry.tunnels(Some(owner)).await)
    }

    /// Gives a tunnel of the owner a new key. Returns `None` if the tunnel does not exist.
    pub(crate) async fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        grace: Duration,
    ) -> Result<Option<RotatedKey>, QueueError> {
        let fresh = fresh_key()?;
        log_error(self.registry.rotate(owner, name, fresh, grace).await)
    }

    /// Deletes a tunnel of the owner. Returns whether it existed.
    pub(crate) async fn delete(&self, owner: String, name: TunnelName) -> Result<bool, QueueError> {
        log_error(self.registry.delete(owner, name).await)
    }

    /// Stores for the command line which agents are connected.
    pub(crate) async fn tell_sessions(
        &self,
        sessions: Vec<(TunnelId, AgentConnection)>,
    ) -> Result<(), QueueError> {
        log_error(self.registry.tell_sessions(sessions).await)
    }

    /// Stores for the command line the URL at which this relay is reached.
    pub(crate) async fn tell_public_url(&self, url: String) -> Result<(), QueueError> {
        log_error(self.registry.tell_public_url(url).await)
    }

    /// Checks whether another process changed something, and loads the changes. Returns what is
    /// still valid after changes.
    pub(crate) async fn poll(&self) -> Result<Option<StillValid>, QueueError> {
        let mut seen = self.seen.lock().await;
        self.refresh(&mut seen).await?;
        Ok(seen.standing.take())
    }

    async fn refresh(&self, seen: &mut SeenRegistry) -> Result<(), QueueError> {
        self.looks.fetch_add(1, Ordering::AcqRel);
        let changes = self.registry.changes(seen.revision, self.max_age).await;
        let Some(snapshot) = log_error(changes)? else {
            return Ok(());
        };
        let mut standing = StillValid {
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
            let entry = DirectoryEntry { tunnel, until };
            if replaced.contains(&id) {
                by_id.insert(id, entry.clone());
            }
            next.insert(key, entry);
        }
        for (key, id, until) in snapshot.old_keys {
            if let Some(DirectoryEntry { tunnel, until: end }) = by_id.get(&id) {
                let (tunnel, until) = (Arc::clone(tunnel), Some(end.unwrap_or(until).min(until)));
                next.insert(key, DirectoryEntry { tunnel, until });
            }
        }
        *tunnels = next;
        *seen = SeenRegistry {
            revision: snapshot.revision,
            standing: Some(standing),
        };
        Ok(())
    }
}

impl Tunnel {
    pub(crate) fn new(id: TunnelId, key: TunnelKey, name: TunnelName) -> Self {
        Self {
            id,
            key,
            name,
            refused: TunnelRefusals::default(),
        }
    }

    /// Returns the tunnel's URL below the relay's public URL.
    pub(crate) fn url(&self, public_url: &Url) -> String {
        url(public_url, &self.key)
    }
}

/// Returns the URL of a tunnel below a relay's public URL.
pub(crate) fn url(public_url: &Url, key: &TunnelKey) -> String {
    format!("{}/{key}/", public_url.as_str().trim_end_matches('/'))
}

fn fresh_key() -> Result<TunnelKey, QueueError> {
    TunnelKey::generate().map_err(|error| {
        tracing::error!(%error, "a tunnel's key cannot be made");
        QueueError::Unavailable
    })
}

fn log_error<T>(result: Result<T, TokenStoreError>) -> Result<T, QueueError> {
    result.map_err(|error| {
        tracing::error!(%error, "tunnels and tokens cannot be read or written");
        QueueError::Unavailable
    })
}
