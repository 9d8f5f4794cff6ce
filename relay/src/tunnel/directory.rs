//! The running relay's view of tunnels and tokens: keys in memory, so that ingest never waits for
//! the disk; tokens looked up at each connect; changes of other processes noticed when they ring.

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
    pub(crate) refused: TunnelRefusals,
}

/// Whom a token belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) token: TokenId,
}

/// A tunnel found by a key.
#[derive(Debug, Clone)]
struct DirectoryEntry {
    tunnel: Arc<Tunnel>,
    /// When the key leads here no more: it was replaced, or the owner has no token.
    until: Option<Timestamp>,
}

/// An agent's tunnel, and its place among those that have served it.
#[derive(Debug)]
pub(crate) struct ServedTunnel {
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
pub(crate) struct StillValid {
    pub(crate) tokens: HashSet<TokenId>,
    pub(crate) keys: HashSet<TunnelKey>,
}

/// The tunnels and tokens of a running relay.
#[derive(Debug)]
pub(crate) struct Directory {
    registry: Arc<dyn Registry>,
    max_age: Duration,
    max_owner_tunnels: u64,
    tunnels: RwLock<HashMap<TunnelKey, DirectoryEntry>>,
    /// What was seen last. Held while tunnels are made or taken over from the store, so that a
    /// look at it never drops the tunnel that is being made.
    seen: tokio::sync::Mutex<SeenRegistry>,
    /// Looks at the store that were begun, in a burst of unknown keys one for all of them.
    looks: AtomicU64,
    /// Where relays share the store: tunnels with refusals that it has not got yet.
    refused: Mutex<HashMap<TunnelId, Arc<Tunnel>>>,
}

#[derive(Debug, Default)]
struct SeenRegistry {
    revision: RegistryRevision,
    /// What no poll has told yet.
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

    /// The tunnel of a key, from memory.
    pub(crate) fn lookup(&self, key: &TunnelKey) -> Option<Arc<Tunnel>> {
        let tunnels = self.tunnels.read().unwrap_or_else(PoisonError::into_inner);
        let DirectoryEntry { tunnel, until } = tunnels.get(key)?;
        let is_open = until.is_none_or(|until| Timestamp::now() < until);
        is_open.then(|| Arc::clone(tunnel))
    }

    /// Notes that a webhook for this key was refused; its owner hears of it.
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

    /// Those of the tunnels with refusals that nobody was told of whose agents are elsewhere.
    pub(crate) fn refused_elsewhere(
        &self,
        is_elsewhere: impl Fn(TunnelId) -> bool,
    ) -> Vec<Arc<Tunnel>> {
        self.tunnels_with_refusals(|tunnel| tunnel.refused.is_untold() && is_elsewhere(tunnel.id))
    }

    /// Those with refusals that the store does not count yet.
    pub(crate) fn refused_and_not_kept(&self) -> Vec<Arc<Tunnel>> {
        self.tunnels_with_refusals(|tunnel| tunnel.refused.is_ahead())
    }

    fn tunnels_with_refusals(&self, is_meant: impl Fn(&Tunnel) -> bool) -> Vec<Arc<Tunnel>> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, tunnel| tunnel.refused.is_untold() || tunnel.refused.is_ahead());
        let tunnels = refused.values().filter(|tunnel| is_meant(tunnel));
        tunnels.cloned().collect()
    }

    /// Whether other relays have the same tunnels.
    pub(crate) fn is_shared(&self) -> bool {
        self.registry.is_shared()
    }

    /// The tunnel of a key. One that is unknown may have been made by another relay just now.
    pub(crate) async fn find(&self, key: &TunnelKey) -> Option<Arc<Tunnel>> {
        let known = self.lookup(key);
        if known.is_some() || !self.registry.is_shared() {
            return known;
        }
        let begun = self.looks.load(Ordering::Acquire);
        let mut seen = self.seen.lock().await;
        // What began meanwhile has ended, and saw all that there was when this was asked.
        if self.looks.load(Ordering::Acquire) == begun
            && let Err(error) = self.refresh(&mut seen).await
        {
            tracing::debug!(%error, "an unknown key cannot be looked up");
        }
        self.lookup(key)
    }

    /// Whose token this is, looked up now; `None` for one that is malformed, unknown or revoked.
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

    /// Whether the token and the key are still good, looked up now.
    pub(crate) async fn is_current(
        &self,
        owner: &Owner,
        tunnel: &Tunnel,
    ) -> Result<bool, QueueError> {
        let known = log_error(self.registry.find_token(owner.token.clone()).await)?;
        Ok(known.is_some() && self.lookup(&tunnel.key).is_some())
    }

    /// The owner's tunnel of this name, made at the first use of the name, for an agent that says
    /// which epoch it had.
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

    /// Gives a tunnel of the owner a new key; `None` where there is no such tunnel.
    pub(crate) async fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        grace: Duration,
    ) -> Result<Option<RotatedKey>, QueueError> {
        let fresh = fresh_key()?;
        log_error(self.registry.rotate(owner, name, fresh, grace).await)
    }

    /// Deletes a tunnel of the owner. Whether there was one.
    pub(crate) async fn delete(&self, owner: String, name: TunnelName) -> Result<bool, QueueError> {
        log_error(self.registry.delete(owner, name).await)
    }

    /// Keeps for the command line who is connected.
    pub(crate) async fn tell_sessions(
        &self,
        sessions: Vec<(TunnelId, AgentConnection)>,
    ) -> Result<(), QueueError> {
        log_error(self.registry.tell_sessions(sessions).await)
    }

    /// Keeps for the command line how the world reaches this relay.
    pub(crate) async fn tell_public_url(&self, url: String) -> Result<(), QueueError> {
        log_error(self.registry.tell_public_url(url).await)
    }

    /// Looks whether another process changed something, and if so takes it over. Answers what is
    /// still good then.
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

fn log_error<T>(result: Result<T, TokenStoreError>) -> Result<T, QueueError> {
    result.map_err(|error| {
        tracing::error!(%error, "tunnels and tokens cannot be read or written");
        QueueError::Unavailable
    })
}
