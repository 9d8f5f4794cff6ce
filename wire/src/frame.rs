//! The frames, named after their sender: plain data without any encoding.

use std::fmt;

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
    /// One webhook, which is stored.
    Event(EventFrame),
    /// One webhook that is not stored, whose sender waits; see [`Hello::pass_through`].
    Held(HeldFrame),
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
    /// The [`Welcome::epoch`] of this agent's first connection; `None` at that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The machine it runs on, for the person at another agent of the tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The person asked for the tunnel, whoever has it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub take_over: bool,
    /// Under [`Respond::Local`]: it takes [`HeldFrame`]s. To one that does not say so the relay
    /// sends what it has stored, and nothing else.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pass_through: bool,
}

/// Who answers the sender of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respond {
    /// The relay, with 200, as soon as the event is stored (invariant 4).
    #[default]
    Stored,
    /// The local service through the agent; the relay, with 200 for a stored event, after a time
    /// limit.
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
    pub to: ResponseTo,
    pub response: WebhookResponse,
}

/// Which event a response answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseTo {
    /// One of the queue, by its place there: `seq`.
    Stored(Seq),
    /// One that the relay has not stored, by its identity: `id`. Only once it is in the agent's
    /// history: nobody else has it, and the sender may take the answer for a promise.
    Held(EventId),
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
    /// The agent's place among those that have served the tunnel: a later one is higher. It keeps
    /// the one of its first connection, so that an agent that comes back late loses against a
    /// live one that was started after it. Zero from a relay that knows none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub epoch: u64,
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
    /// The largest body of an answer that is taken under [`Respond::Local`], in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub max_response_bytes: u64,
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

/// One webhook on its way to the agent whose sender waits for the local service's answer. It is not
/// in the queue and is not acknowledged. Where the relay answers by itself after all, the event
/// comes again as an [`EventFrame`], with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFrame {
    /// Its identity for ever.
    pub id: EventId,
    /// The webhook itself.
    pub request: WebhookRequest,
}

/// Something the person at the agent should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// Another agent of the same owner has the tunnel.
    TakenOver(TunnelHolder),
    /// The owner has as much as this relay allows; coming back changes nothing.
    Limit {
        /// Which limit, in words that say what to do.
        message: String,
    },
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
        count: u64,
        reason: String,
        /// When the last one was.
        last_at: Timestamp,
    },
    /// The relay's clock was set: the times of events follow it, how long they wait does not.
    ClockSet {
        /// Milliseconds ahead; fewer than zero where it was set back.
        by_ms: i64,
    },
    /// A kind that this build does not know.
    #[serde(other)]
    Unknown,
}

/// Who has a tunnel, as far as the relay tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelHolder {
    /// The machine it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Since when it has been connected.
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

/// Whether a field need not be written: a peer that does not know it sees the bytes it always saw.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
