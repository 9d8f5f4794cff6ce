//! Defines how an owner manages tunnels over plain HTTP with the token: list them, give one
//! a new URL, delete one.
//!
//! `GET /-/tunnels` answers [`TunnelList`]; `POST /-/tunnels/NAME/rotate` takes [`Rotate`]
//! or nothing and answers [`RotatedTunnel`]; `DELETE /-/tunnels/NAME` answers 204. A
//! refusal is a [`ConnectRefusal`](crate::ConnectRefusal). Unknown fields are ignored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::TunnelName;

/// Path of the owner's tunnels, below the relay's URL.
pub const TUNNELS_PATH: &str = "/-/tunnels";

/// Header that identifies a relay in the answers about its health, such as `podtap/0.1.0`.
pub const RELAY_HEADER: &str = "podtap-relay";

/// Path below the relay's URL that reports whether the relay accepts webhooks: 200, or 503
/// with the reason.
pub const READY_PATH: &str = "/-/readyz";

/// Maximum grace period of a rotation, in seconds: 30 days.
pub const MAX_GRACE_S: u64 = 30 * 24 * 60 * 60;

/// All tunnels of an owner, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TunnelList {
    pub tunnels: Vec<TunnelEntry>,
    /// Name and version of the relay; empty if the relay does not send them.
    #[serde(default)]
    pub server: String,
    /// Limits of the tunnels' queues.
    #[serde(default)]
    pub limits: QueueLimits,
}

/// Limits of queues on a relay. Zero means that the relay did not send the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueLimits {
    /// Maximum number of events per tunnel.
    pub max_events: u64,
    /// Maximum number of bytes per tunnel.
    pub max_bytes: u64,
    /// Maximum number of events of all tunnels of an owner.
    pub max_owner_events: u64,
    /// Maximum number of bytes of all tunnels of an owner.
    pub max_owner_bytes: u64,
}

/// A tunnel in the form that its owner sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelEntry {
    /// Its name, unique for the owner.
    pub name: TunnelName,
    /// Its public URL, with a trailing slash.
    pub url: String,
    /// Time until which the previous URL still works.
    #[serde(default)]
    pub old_url_until: Option<Timestamp>,
    /// Time at which an agent first asked for it.
    pub created_at: Timestamp,
    /// Queued events for an agent.
    pub waiting_events: u64,
    /// Bytes of the queued events.
    pub waiting_bytes: u64,
    /// Time of receipt of the oldest queued event.
    #[serde(default)]
    pub oldest_waiting_at: Option<Timestamp>,
    /// Time at which the last event was stored.
    #[serde(default)]
    pub last_event_at: Option<Timestamp>,
    /// Number of webhooks, by reason, that were refused since the relay started.
    #[serde(default)]
    pub refused: Vec<RefusedWebhooks>,
    /// The connected agent, if any.
    #[serde(default)]
    pub connected: Option<ConnectedAgent>,
}

/// Number of webhooks that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedWebhooks {
    pub count: u64,
    pub reason: String,
    /// Time of the last refusal.
    pub last_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedAgent {
    pub since: Timestamp,
    /// Name of its machine, as the agent reports it.
    #[serde(default)]
    pub host: Option<String>,
    /// Address from which it connects.
    pub peer: String,
}

/// Request for a new URL of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotate {
    /// Time for which the old URL still works, in seconds; at most [`MAX_GRACE_S`].
    pub grace_s: u64,
}

/// A tunnel with a new URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotatedTunnel {
    /// The new URL, with a trailing slash.
    pub url: String,
    /// Time until which the old URL still works; missing if it has stopped working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_url_until: Option<Timestamp>,
}
