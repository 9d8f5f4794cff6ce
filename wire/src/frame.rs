//! The frames, named after their sender: plain data without any encoding.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, Seq, TunnelName};
use crate::request::{WebhookRequest, WebhookResponse};

/// What an agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentFrame {
    /// The first frame: who it is and what it wants.
    Hello(Hello),
    /// Everything up to here is on the agent's stable storage.
    Ack(Ack),
    /// The local service's answer, under [`Respond::Local`].
    Response(ResponseFrame),
}

/// What a relay says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayFrame {
    /// The answer to [`Hello`].
    Welcome(Welcome),
    /// One webhook.
    Event(EventFrame),
    /// Something the person at the agent should know.
    Notice(Notice),
}

/// The agent's opening frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Name and version of the agent, for the relay's log.
    pub client: String,
    /// The tunnel it serves; made at the first use of the name.
    pub tunnel: TunnelName,
    /// The most unacknowledged events it wants; the relay may grant fewer, never more.
    pub window: u32,
    /// Who answers the sender.
    #[serde(default)]
    pub respond: Respond,
}

/// Who answers the sender of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respond {
    /// The relay, with 200, as soon as the event is stored (invariant 4).
    #[default]
    Stored,
    /// The local service through the agent; the stored 200 after a time limit.
    Local,
}

/// Every `seq` up to this one is in the agent's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The last one, inclusive.
    pub through: Seq,
}

/// The local service's answer to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseFrame {
    /// The event answered.
    pub seq: Seq,
    /// The answer.
    pub response: WebhookResponse,
}

/// The relay's opening frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The tunnel's public URL, with a trailing slash.
    pub url: String,
    /// The tunnel's name, as the relay knows it.
    pub tunnel: TunnelName,
    /// Events waiting in the queue at this moment.
    pub backlog: u64,
    /// What the relay refuses.
    pub limits: RelayLimits,
    /// Name and version of the relay.
    pub server: String,
}

/// The limits an agent may want to show. Zero means none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RelayLimits {
    /// The window granted, in events.
    pub window: u32,
    /// The largest body accepted, in bytes.
    pub max_body_bytes: u64,
    /// The most events one tunnel's queue holds.
    pub max_queue_events: u64,
    /// The most bytes one tunnel's queue holds.
    pub max_queue_bytes: u64,
    /// The age in seconds at which an event that no agent took is removed.
    pub max_age_s: u64,
}

/// One webhook on its way to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFrame {
    /// Its place in the tunnel's queue.
    pub seq: Seq,
    /// Its identity for ever.
    pub id: EventId,
    /// The webhook itself.
    pub request: WebhookRequest,
}

/// Something the person at the agent should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// A newer connection of the same owner holds the tunnel now.
    TakenOver,
    /// The relay shuts down.
    Draining {
        /// When to come back, in milliseconds from now.
        come_back_after_ms: u64,
    },
    /// The token was revoked; do not come back with it.
    Revoked,
    /// Events that a limit removed before any agent took them.
    Gap {
        /// The first one gone.
        from: Seq,
        /// The last one gone, inclusive.
        to: Seq,
        /// Which limit, in words.
        reason: String,
    },
    /// Webhooks that were turned away since the last such notice, for one reason.
    Refused {
        /// How many.
        count: u64,
        /// Why, in words.
        reason: String,
        /// When the last one was.
        last_at: Timestamp,
    },
    /// A kind that this build does not know.
    #[serde(other)]
    Unknown,
}
