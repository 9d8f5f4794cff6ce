//! Every way in which a session ends, and what the agent hears of it.

use podtap_wire::{Notice, TunnelHolder};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::queue::QueueError;
use crate::tunnel::directory::NoTunnel;

/// When an agent is to come back to a relay that goes away: about a restart's time.
const COME_BACK_AFTER_MS: u64 = 1000;

/// The longest reason of a close frame, in bytes (RFC 6455 §5.5).
const MAX_REASON: usize = 123;

/// Every way in which a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Another session has the tunnel: this one.
    TakenOver(TunnelHolder),
    /// The owner has as many tunnels as one may have.
    TooManyTunnels,
    /// The token is void.
    Revoked,
    /// The tunnel has another key, or is deleted; by coming back the agent learns its new URL.
    KeyGone,
    /// The relay shuts down.
    Draining,
    /// The storage does not work.
    Unavailable,
    /// The agent does not keep to the protocol.
    Protocol(String),
    /// Nothing was heard for too long, or nothing taken.
    Silent,
    /// The agent has gone.
    Gone,
}

impl End {
    /// A message was larger than this.
    pub(super) fn too_large(most: usize) -> Self {
        Self::Protocol(format!("a message is larger than {most} bytes"))
    }

    /// What the agent's user should know.
    pub(super) fn notice(&self) -> Option<Notice> {
        match self {
            Self::TakenOver(holder) => Some(Notice::TakenOver(holder.clone())),
            Self::TooManyTunnels => Some(Notice::Limit {
                message: "this token's owner has the maximum number of tunnels; delete one with \
                     `podtap tunnels delete NAME`"
                    .to_owned(),
            }),
            Self::Revoked => Some(Notice::Revoked),
            Self::KeyGone => Some(Notice::Draining {
                come_back_after_ms: 0,
            }),
            Self::Draining | Self::Unavailable => Some(Notice::Draining {
                come_back_after_ms: COME_BACK_AFTER_MS,
            }),
            Self::Protocol(_) | Self::Silent | Self::Gone => None,
        }
    }

    /// How the websocket is closed; `None` where nobody is there to close it with.
    pub(super) fn close(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::TakenOver(_) => (CloseCode::Policy, "another agent has the tunnel"),
            Self::TooManyTunnels => (CloseCode::Policy, "too many tunnels"),
            Self::Revoked => (CloseCode::Policy, "the token is revoked"),
            Self::KeyGone => (CloseCode::Restart, "the tunnel has changed"),
            Self::Draining => (CloseCode::Restart, "the relay shuts down"),
            Self::Unavailable => (CloseCode::Again, "the relay's storage does not work"),
            Self::Protocol(reason) if reason.len() <= MAX_REASON => {
                (CloseCode::Protocol, reason.as_str())
            }
            Self::Protocol(_) => (CloseCode::Protocol, "protocol error"),
            Self::Silent | Self::Gone => return None,
        };
        Some(CloseFrame {
            code,
            reason: reason.to_owned().into(),
        })
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::UnknownTunnel => Self::KeyGone,
            QueueError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<NoTunnel> for End {
    fn from(error: NoTunnel) -> Self {
        match error {
            NoTunnel::TooMany => Self::TooManyTunnels,
            NoTunnel::Unavailable => Self::Unavailable,
        }
    }
}
