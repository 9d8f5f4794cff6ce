//! Defines what an engine stores of tunnels and tokens, for a running relay and for a
//! command line beside it.

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
/// When a call returns, its change is on stable storage and is visible to every later call,
/// also in another process. All futures may be dropped at any time; a change in progress
/// may then happen or not.
pub(crate) trait Registry: fmt::Debug + Send + Sync {
    /// Returns the token with this id, unless it is revoked.
    fn find_token(&self, id: TokenId)
    -> BoxFuture<'_, Result<Option<KnownToken>, TokenStoreError>>;

    /// Records that an agent used the token.
    fn mark_used(&self, id: TokenId, now: Timestamp) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Finds or creates the tunnel. An agent that reconnects keeps its epoch. Any other agent,
    /// and one whose epoch this store never assigned, gets the next epoch.
    fn want_tunnel(
        &self,
        request: TunnelRequest,
    ) -> BoxFuture<'_, Result<TunnelGrant, TokenStoreError>>;

    /// Returns all tunnels, keys and tokens, or `None` if they are still at the revision that
    /// was seen before. An owner's tunnels close `max_age` after the last token was revoked.
    fn changes(
        &self,
        seen: RegistryRevision,
        max_age: Duration,
    ) -> BoxFuture<'_, Result<Option<Snapshot>, TokenStoreError>>;

    /// Returns whether another relay may create a tunnel at any time.
    fn is_shared(&self) -> bool;

    /// Stores for the command line which agents are connected, unless the engine knows it anyway.
    fn tell_sessions(
        &self,
        sessions: Vec<(TunnelId, AgentConnection)>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Stores for the command line the URL at which the relay is reached.
    fn tell_public_url(&self, url: String) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Returns the URL at which the relay is reached, as a relay last stored it.
    fn public_url(&self) -> BoxFuture<'_, Result<Option<String>, TokenStoreError>>;

    /// Returns the tunnels of an owner, or of all owners, by owner and name.
    fn tunnels(
        &self,
        owner: Option<String>,
    ) -> BoxFuture<'_, Result<Vec<TunnelInfo>, TokenStoreError>>;

    /// Gives a tunnel a new key. The old key works for `grace` longer. Returns `None` if the
    /// tunnel does not exist.
    fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        fresh: TunnelKey,
        grace: Duration,
    ) -> BoxFuture<'_, Result<Option<RotatedKey>, TokenStoreError>>;

    /// Deletes a tunnel with its queued events. Returns whether it existed.
    fn delete(
        &self,
        owner: String,
        name: TunnelName,
    ) -> BoxFuture<'_, Result<bool, TokenStoreError>>;

    /// Stores a new token.
    fn add_token(&self, token: Token, owner: String) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Returns all tokens, revoked ones included, oldest first.
    fn tokens(&self) -> BoxFuture<'_, Result<Vec<TokenInfo>, TokenStoreError>>;

    /// Revokes all tokens of an owner, or the one with this id.
    fn revoke(
        &self,
        owner_or_id: String,
        with_tunnels: bool,
    ) -> BoxFuture<'_, Result<RevokedCounts, TokenStoreError>>;
}

/// Number of the changes that a relay must notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RegistryRevision(pub(crate) i64);

/// A token that is not revoked.
#[derive(Debug)]
pub(crate) struct KnownToken {
    pub(crate) owner: String,
    pub(crate) hash: TokenHash,
    pub(crate) last_used_at: Option<Timestamp>,
}

/// All tunnels, keys and tokens at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) revision: RegistryRevision,
    pub(crate) tokens: HashSet<TokenId>,
    pub(crate) tunnels: Vec<KnownTunnel>,
    /// Replaced keys that still lead to their tunnel, and until when.
    pub(crate) old_keys: Vec<(TunnelKey, TunnelId, Timestamp)>,
}

/// A tunnel, and when it closes.
#[derive(Debug)]
pub(crate) struct KnownTunnel {
    pub(crate) id: TunnelId,
    pub(crate) key: TunnelKey,
    pub(crate) name: TunnelName,
    /// Set if the owner has no valid token any more.
    pub(crate) until: Option<Timestamp>,
}

/// An agent's request for a tunnel.
#[derive(Debug)]
pub(crate) struct TunnelRequest {
    pub(crate) owner: String,
    pub(crate) name: TunnelName,
    /// Epoch that the agent had before.
    pub(crate) epoch: Option<u64>,
    /// Key for the tunnel if it is new.
    pub(crate) fresh: TunnelKey,
    /// Maximum number of tunnels of the owner.
    pub(crate) max_tunnels: u64,
}

/// Result of a request for a tunnel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TunnelGrant {
    /// The tunnel.
    Found {
        id: TunnelId,
        key: TunnelKey,
        /// Epoch of the agent among those that have served the tunnel.
        epoch: u64,
    },
    /// The tunnel would be new, and the owner has reached the limit.
    TooMany,
}

/// The tokens that a name or an id selects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TokenTarget {
    /// All tokens of an owner.
    Owner(String),
    /// One token of an owner.
    Token { id: String, owner: String },
}

impl TokenTarget {
    /// Returns the id in a text that a person typed, which may be the form of a list or copied
    /// with the dots after it.
    pub(crate) fn id_in(text: &str) -> &str {
        let id = text.trim_end_matches('…');
        id.strip_prefix(super::owner::ID_PREFIX).unwrap_or(id)
    }

    /// Returns which tokens the text selects. `owner_of_id` is the owner of the token with that
    /// id, and `is_owner` says whether there is an owner of that name.
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

/// Returns the time until which a key that is replaced now still works, or `None` if it
/// stops working at once.
pub(crate) fn end_of_grace(now: Timestamp, grace: Duration) -> Option<Timestamp> {
    let grace = jiff::SignedDuration::try_from(grace).unwrap_or(jiff::SignedDuration::MAX);
    (!grace.is_zero()).then(|| now.checked_add(grace).unwrap_or(Timestamp::MAX))
}

/// Converts a time of a database row.
pub(crate) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
