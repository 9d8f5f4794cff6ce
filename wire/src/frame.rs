//! Defines the frames, which are named after their sender: plain data without an encoding.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, Seq, TunnelName};
use crate::request::{WebhookRequest, WebhookResponse};

/// A frame that an agent sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentFrame {
    /// The first frame: the agent's description and request.
    Hello(Hello),
    /// Everything up to this event is on the agent's stable storage.
    Ack(Ack),
    /// The local service's answer, under [`Respond::Local`].
    Response(ResponseFrame),
}

/// A frame that a relay sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayFrame {
    /// The answer to [`Hello`].
    Welcome(Welcome),
    /// A stored webhook.
    Event(EventFrame),
    /// A webhook that is not stored and whose sender waits; see [`Hello::pass_through`].
    Held(HeldFrame),
    /// Something that the person at the agent should know.
    Notice(Notice),
}

/// The agent's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Name and version of the agent, for the relay's log.
    pub client: String,
    /// Tunnel to serve, which is created at the first use of the name.
    pub tunnel: TunnelName,
    /// Requested maximum number of unacknowledged events. The relay may grant fewer, never more.
    pub window: u32,
    /// Which side answers the sender.
    #[serde(default)]
    pub respond: Respond,
    /// The [`Welcome::epoch`] of this agent's first connection, or `None` at the first connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Name of its machine, for the person at another agent of the tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Whether a person wants this agent to have the tunnel, even if another agent has it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub take_over: bool,
    /// Under [`Respond::Local`]: whether the agent accepts [`HeldFrame`]s. Otherwise, the relay
    /// sends only stored events.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pass_through: bool,
}

/// Which side answers the sender of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respond {
    /// The relay, with 200, as soon as the event is stored (invariant 4).
    #[default]
    Stored,
    /// The local service, through the agent. After a time limit the relay, with 200 for a
    /// stored event.
    Local,
}

/// Acknowledges that every `seq` up to this one is in the agent's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Last acknowledged event, inclusive.
    pub through: Seq,
}

/// The local service's answer to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseFrame {
    /// The answered event.
    pub to: ResponseTo,
    pub response: WebhookResponse,
}

/// The event that a response answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseTo {
    /// An event of the queue, by its position there: `seq`.
    Stored(Seq),
    /// An event that the relay has not stored, by its `id`. It is sent only after the event is in
    /// the agent's history, because no other copy exists and the sender may rely on the answer.
    Held(EventId),
}

/// The relay's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The tunnel's public URL, with a trailing slash.
    pub url: String,
    /// The tunnel's name, as the relay knows it.
    pub tunnel: TunnelName,
    /// Number of queued events now.
    pub backlog: u64,
    /// Limits of the relay.
    pub limits: RelayLimits,
    /// Name and version of the relay.
    pub server: String,
    /// Number of the agent among those that have served the tunnel: a later agent has a higher
    /// one. An agent keeps the number of its first connection. So an agent that reconnects late
    /// loses against a live one that was started after it. Zero from a relay that has no epochs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub epoch: u64,
}

/// Limits that an agent may want to show. Zero means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RelayLimits {
    /// Granted window, in events.
    pub window: u32,
    /// Maximum size of a body, in bytes.
    pub max_body_bytes: u64,
    /// Maximum number of events in one tunnel's queue.
    pub max_queue_events: u64,
    /// Maximum number of bytes in one tunnel's queue.
    pub max_queue_bytes: u64,
    /// Age in seconds at which an event is removed that no agent has received.
    pub max_age_s: u64,
    /// Maximum size of the body of an answer under [`Respond::Local`], in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub max_response_bytes: u64,
}

/// A webhook that is sent to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFrame {
    /// Position in the tunnel's queue.
    pub seq: Seq,
    /// Permanent identity of the event.
    pub id: EventId,
    /// The webhook itself.
    pub request: WebhookRequest,
}

/// A webhook that is sent to the agent while its sender waits for the local service's
/// answer. It is not in the queue and is not acknowledged. If the relay answers by itself
/// after all, the event is sent again as an [`EventFrame`] with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFrame {
    /// Permanent identity of the event.
    pub id: EventId,
    /// The webhook itself.
    pub request: WebhookRequest,
}

/// Something that the person at the agent should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// Another agent of the same owner has the tunnel.
    TakenOver(TunnelHolder),
    /// The owner has reached a limit of this relay. Reconnecting does not help.
    Limit {
        /// Description of the limit and of what to do.
        message: String,
    },
    /// The relay shuts down.
    Draining {
        /// When to reconnect, in milliseconds from now.
        come_back_after_ms: u64,
    },
    /// The token was revoked; the agent must not reconnect with it.
    Revoked,
    /// Events that a limit removed before an agent received them.
    Gap {
        /// First missing event.
        from: Seq,
        /// Last missing event, inclusive.
        to: Seq,
        /// Reason for people, such as the limit.
        reason: String,
    },
    /// Webhooks that were refused for one reason since the last such notice.
    Refused {
        count: u64,
        reason: String,
        /// Time of the last refusal.
        last_at: Timestamp,
    },
    /// The relay's clock was set. The times of events change with it, but not how long they are
    /// kept.
    ClockSet {
        /// Milliseconds ahead; negative if the clock was set back.
        by_ms: i64,
    },
    /// A kind of notice that this build does not know.
    #[serde(other)]
    Unknown,
}

/// The agent that has a tunnel, as far as the relay reveals it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelHolder {
    /// Name of its machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Time since which it has been connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl fmt::Display for TunnelHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another agent")?;
        if let Some(host) = &self.host {
            write!(f, " on {host}")?;
        }
        f.write_str(" has the tunnel")?;
        match self.since {
            Some(since) => write!(f, " since {since:.0}"),
            None => Ok(()),
        }
    }
}

/// Returns whether a field may be omitted. A peer that does not know the field then
/// receives the same bytes as before.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
