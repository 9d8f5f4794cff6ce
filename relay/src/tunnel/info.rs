//! Describes tokens, tunnels and changes to them, for display.

use jiff::Timestamp;
use podtap_wire::manage::RefusedWebhooks;
use podtap_wire::{TunnelKey, TunnelName};

use crate::queue::TunnelId;

/// A tunnel in the form that its owner may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelInfo {
    pub(crate) id: TunnelId,
    pub owner: String,
    /// Its name, unique for the owner.
    pub name: TunnelName,
    /// The secret part of its URL.
    pub key: TunnelKey,
    /// Time until which the previous key still works.
    pub old_key_until: Option<Timestamp>,
    /// Time at which an agent first asked for the tunnel.
    pub created_at: Timestamp,
    /// Queued events for an agent.
    pub backlog: u64,
    /// Bytes of the queued events.
    pub backlog_bytes: u64,
    /// Time of receipt of the oldest queued event.
    pub oldest_waiting_at: Option<Timestamp>,
    /// Time at which the last event was stored.
    pub last_event_at: Option<Timestamp>,
    /// Number of webhooks, by reason, that the relays that share a database have refused since
    /// their start.
    pub refused: Vec<RefusedWebhooks>,
    /// The agent that is connected, if any.
    pub connected: Option<AgentConnection>,
}

/// An agent that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentConnection {
    pub since: Timestamp,
    /// Name of the agent's machine, as the agent reports it.
    pub host: Option<String>,
    /// Address from which the agent connects.
    pub peer: String,
}

/// Keys of a tunnel after a change of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedKey {
    /// The new key.
    pub key: TunnelKey,
    /// Time until which the old key still works, or `None` if it has stopped working.
    pub old_key_until: Option<Timestamp>,
}

/// A token in the form that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The token's public part.
    pub id: String,
    /// Owner whose tunnels the token gives access to.
    pub owner: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time at which an agent last connected with it, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Time of revocation.
    pub revoked_at: Option<Timestamp>,
}

/// Result of a revocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevokedCounts {
    /// Number of tokens that were valid until now.
    pub tokens: usize,
    /// Number of tunnels that were deleted with them.
    pub tunnels: usize,
}
