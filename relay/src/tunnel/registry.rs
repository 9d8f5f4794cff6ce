//! What an engine keeps of tunnels and tokens: the same for a running relay and for a command line
//! beside it.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use podtap_wire::{TunnelKey, TunnelName};

use super::error::TokenStoreError;
use super::info::{AgentConnection, RevokedCounts, RotatedKey, TokenInfo, TunnelInfo};
use super::token::{Token, TokenHash, TokenId};
use crate::queue::TunnelId;

/// The tunnels and tokens of a store.
///
/// What one call changes is on stable storage when it resolves, and is seen by every later call,
/// also one of another process. All futures may be dropped at any time; a change that was under way
/// may then happen or not.
pub(crate) trait Registry: fmt::Debug + Send + Sync {
    /// The token with this id, unless it is revoked.
    fn find_token(&self, id: TokenId)
    -> BoxFuture<'_, Result<Option<KnownToken>, TokenStoreError>>;

    /// Notes that an agent used the token.
    fn mark_used(&self, id: TokenId, now: Timestamp) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Finds the tunnel, or makes it. An agent that comes back keeps its epoch; any other, and one
    /// whose epoch this store never gave, gets the next.
    fn want_tunnel(
        &self,
        request: TunnelRequest,
    ) -> BoxFuture<'_, Result<TunnelGrant, TokenStoreError>>;

    /// Everything that ingest and sessions go by, unless it is what was seen before. An owner's
    /// tunnels close `max_age` after the last token was revoked.
    fn changes(
        &self,
        seen: RegistryRevision,
        max_age: Duration,
    ) -> BoxFuture<'_, Result<Option<Snapshot>, TokenStoreError>>;

    /// Whether another relay may make a tunnel at any time.
    fn is_shared(&self) -> bool;

    /// Keeps for the command line who is connected, where the engine does not know it anyway.
    fn tell_sessions(
        &self,
        sessions: Vec<(TunnelId, AgentConnection)>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Keeps for the command line how the world reaches the relay.
    fn tell_public_url(&self, url: String) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// How the world reaches the relay, as one has told last.
    fn public_url(&self) -> BoxFuture<'_, Result<Option<String>, TokenStoreError>>;

    /// The tunnels of an owner, or of all, by owner and name.
    fn tunnels(
        &self,
        owner: Option<String>,
    ) -> BoxFuture<'_, Result<Vec<TunnelInfo>, TokenStoreError>>;

    /// Gives a tunnel a new key; the old one works for as long as `grace`. `None`: no such tunnel.
    fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        fresh: TunnelKey,
        grace: Duration,
    ) -> BoxFuture<'_, Result<Option<RotatedKey>, TokenStoreError>>;

    /// Deletes a tunnel with everything that waits in it. Whether there was one.
    fn delete(
        &self,
        owner: String,
        name: TunnelName,
    ) -> BoxFuture<'_, Result<bool, TokenStoreError>>;

    /// Keeps a new token.
    fn add_token(&self, token: Token, owner: String) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// All tokens, revoked ones included, oldest first.
    fn tokens(&self) -> BoxFuture<'_, Result<Vec<TokenInfo>, TokenStoreError>>;

    /// Makes an owner's tokens void, or the one with this id.
    fn revoke(
        &self,
        owner_or_id: String,
        with_tunnels: bool,
    ) -> BoxFuture<'_, Result<RevokedCounts, TokenStoreError>>;
}

/// Counts the changes that a relay must notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RegistryRevision(pub(crate) i64);

/// A token that is in use.
#[derive(Debug)]
pub(crate) struct KnownToken {
    pub(crate) owner: String,
    pub(crate) hash: TokenHash,
    pub(crate) last_used_at: Option<Timestamp>,
}

/// Everything that ingest and sessions go by, at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) revision: RegistryRevision,
    pub(crate) tokens: HashSet<TokenId>,
    pub(crate) tunnels: Vec<KnownTunnel>,
    /// Keys that were replaced and still lead to their tunnel, until then.
    pub(crate) old_keys: Vec<(TunnelKey, TunnelId, Timestamp)>,
}

/// A tunnel and when it closes.
#[derive(Debug)]
pub(crate) struct KnownTunnel {
    pub(crate) id: TunnelId,
    pub(crate) key: TunnelKey,
    pub(crate) name: TunnelName,
    /// Set where its owner has no token any more.
    pub(crate) until: Option<Timestamp>,
}

/// A tunnel as an agent asks for it.
#[derive(Debug)]
pub(crate) struct TunnelRequest {
    pub(crate) owner: String,
    pub(crate) name: TunnelName,
    /// The epoch that the agent says it had.
    pub(crate) epoch: Option<u64>,
    /// The key of a tunnel that is new.
    pub(crate) fresh: TunnelKey,
    /// As many as the owner may have.
    pub(crate) max_tunnels: u64,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TunnelGrant {
    /// The tunnel.
    Found {
        id: TunnelId,
        key: TunnelKey,
        /// The agent's place among those that have served the tunnel.
        epoch: u64,
    },
    /// The owner has as many as the limit allows, and this one would be new.
    TooMany,
}

/// Whose tokens are meant by a name or an id, or which.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TokenTarget {
    /// All of an owner's.
    Owner(String),
    /// One of an owner's.
    Token { id: String, owner: String },
}

impl TokenTarget {
    /// The id in what a person typed: as a list shows it, or copied with the dots behind it.
    pub(crate) fn id_in(text: &str) -> &str {
        let id = text.trim_end_matches('…');
        id.strip_prefix(super::owner::ID_PREFIX).unwrap_or(id)
    }

    /// What is meant, where `owner_of_id` has the token with that id and `is_owner` says whether an
    /// owner is called so.
    pub(crate) fn of(
        text: &str,
        owner_of_id: Option<String>,
        is_owner: bool,
    ) -> Result<Option<Self>, TokenStoreError> {
        match (owner_of_id, is_owner) {
            (Some(owner), true) if owner != text => {
                Err(TokenStoreError::Ambiguous(text.to_owned()))
            }
            (_, true) => Ok(Some(Self::Owner(text.to_owned()))),
            (Some(owner), false) => Ok(Some(Self::Token {
                id: Self::id_in(text).to_owned(),
                owner,
            })),
            (None, false) => Ok(None),
        }
    }

    pub(crate) fn owner(&self) -> &str {
        match self {
            Self::Owner(owner) | Self::Token { owner, .. } => owner,
        }
    }
}

/// Until when a key that is replaced now still works; `None` where it works no more.
pub(crate) fn end_of_grace(now: Timestamp, grace: Duration) -> Option<Timestamp> {
    let grace = jiff::SignedDuration::try_from(grace).unwrap_or(jiff::SignedDuration::MAX);
    (!grace.is_zero()).then(|| now.checked_add(grace).unwrap_or(Timestamp::MAX))
}

/// A time as the engines keep it.
pub(crate) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
