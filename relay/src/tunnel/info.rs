//! What may be shown of tokens and tunnels, and what was done to them.

use jiff::Timestamp;
use podtap_wire::manage::RefusedWebhooks;
use podtap_wire::{TunnelKey, TunnelName};

use crate::queue::TunnelId;

/// A tunnel, as far as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelInfo {
    pub(crate) id: TunnelId,
    pub owner: String,
    /// Its name, unique for the owner.
    pub name: TunnelName,
    /// The secret part of its URL.
    pub key: TunnelKey,
    /// Until when the key before this one still works.
    pub old_key_until: Option<Timestamp>,
    /// When an agent first asked for it.
    pub created_at: Timestamp,
    /// Queued events for an agent.
    pub backlog: u64,
    /// Bytes that wait for an agent.
    pub backlog_bytes: u64,
    /// When the oldest event that waits was received.
    pub oldest_waiting_at: Option<Timestamp>,
    /// When the last event was stored.
    pub last_event_at: Option<Timestamp>,
    /// Webhooks that the relays which share a database have refused since their start, by reason.
    pub refused: Vec<RefusedWebhooks>,
    /// The agent that is connected.
    pub connected: Option<AgentConnection>,
}

/// An agent that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentConnection {
    pub since: Timestamp,
    /// The machine it says that it runs on.
    pub host: Option<String>,
    /// The address it comes from.
    pub peer: String,
}

/// What a tunnel has after its key was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedKey {
    /// The new key.
    pub key: TunnelKey,
    /// Until when the old one still works; `None` when it works no more.
    pub old_key_until: Option<Timestamp>,
}

/// What may be shown of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The token's public part.
    pub id: String,
    /// Whose tunnels it opens.
    pub owner: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When an agent last connected with it, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is void.
    pub revoked_at: Option<Timestamp>,
}

/// What was made void.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevokedCounts {
    /// Tokens that were in use until now.
    pub tokens: usize,
    /// Tunnels that were deleted with them.
    pub tunnels: usize,
}
