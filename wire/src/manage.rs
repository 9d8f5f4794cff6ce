//! What an owner asks a relay over plain HTTP with the token: which tunnels there are, another URL
//! for one, an end of one.
//!
//! `GET /-/tunnels` answers [`TunnelList`]; `POST /-/tunnels/NAME/rotate` takes [`Rotate`] or
//! nothing and answers [`RotatedTunnel`]; `DELETE /-/tunnels/NAME` answers 204. A refusal is a
//! [`ConnectRefusal`](crate::ConnectRefusal). Unknown fields are ignored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::TunnelName;

/// Where the owner's tunnels are, below the relay's URL.
pub const TUNNELS_PATH: &str = "/-/tunnels";

/// The header by which a relay says what it is where it tells whether it works, such as
/// `podtap/0.1.0`.
pub const RELAY_HEADER: &str = "podtap-relay";

/// Whether the relay takes webhooks, below its URL: 200, or 503 with the reason.
pub const READY_PATH: &str = "/-/readyz";

/// The longest grace of a rotation, in seconds: 30 days.
pub const MAX_GRACE_S: u64 = 30 * 24 * 60 * 60;

/// All tunnels of an owner, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TunnelList {
    pub tunnels: Vec<TunnelEntry>,
    /// Name and version of the relay; empty from one that does not say it.
    #[serde(default)]
    pub server: String,
    /// What the tunnels' queues may hold.
    #[serde(default)]
    pub limits: QueueLimits,
}

/// What may wait on a relay. Zero means that the relay did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueLimits {
    /// The most events of one tunnel.
    pub max_events: u64,
    /// The most bytes of one tunnel.
    pub max_bytes: u64,
    /// The most events of all tunnels of an owner.
    pub max_owner_events: u64,
    /// The most bytes of all tunnels of an owner.
    pub max_owner_bytes: u64,
}

/// A tunnel as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelEntry {
    /// Its name, unique for the owner.
    pub name: TunnelName,
    /// Its public URL, with a trailing slash.
    pub url: String,
    /// Until when the URL before this one still works.
    #[serde(default)]
    pub old_url_until: Option<Timestamp>,
    /// When an agent first asked for it.
    pub created_at: Timestamp,
    /// Queued events for an agent.
    pub waiting_events: u64,
    /// Bytes that wait for an agent.
    pub waiting_bytes: u64,
    /// When the oldest event that waits was received.
    #[serde(default)]
    pub oldest_waiting_at: Option<Timestamp>,
    /// When the last event was stored.
    #[serde(default)]
    pub last_event_at: Option<Timestamp>,
    /// Webhooks that were refused since the relay started, by reason.
    #[serde(default)]
    pub refused: Vec<RefusedWebhooks>,
    /// The agent that is connected.
    #[serde(default)]
    pub connected: Option<ConnectedAgent>,
}

/// Webhooks that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedWebhooks {
    pub count: u64,
    pub reason: String,
    /// When the last one was.
    pub last_at: Timestamp,
}

/// An agent that is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedAgent {
    pub since: Timestamp,
    /// The machine it says that it runs on.
    #[serde(default)]
    pub host: Option<String>,
    /// The address it comes from.
    pub peer: String,
}

/// How a tunnel is to get a new URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotate {
    /// For how long the old URL still works, in seconds; at most [`MAX_GRACE_S`].
    pub grace_s: u64,
}

/// A tunnel with a new URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotatedTunnel {
    /// The new URL, with a trailing slash.
    pub url: String,
    /// Until when the old one still works; absent when it works no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_url_until: Option<Timestamp>,
}
