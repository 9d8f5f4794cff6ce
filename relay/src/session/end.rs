//! Lists every way in which a session ends, and what the agent is told.

use podtap_wire::{Notice, TunnelHolder};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::queue::QueueError;
use crate::tunnel::directory::NoTunnel;

/// Time after which an agent reconnects to a relay that shuts down: about the time of a restart.
const COME_BACK_AFTER_MS: u64 = 1000;

/// Maximum length of the reason in a close frame, in bytes (RFC 6455 §5.5).
const MAX_REASON: usize = 123;

/// Reason why a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// This other session has the tunnel now.
    TakenOver(TunnelHolder),
    /// The owner has the maximum number of tunnels.
    TooManyTunnels,
    /// The token was revoked.
    Revoked,
    /// The tunnel has another key or was deleted. The agent learns its new URL when it reconnects.
    KeyGone,
    /// The relay shuts down.
    Draining,
    /// The storage does not work.
    Unavailable,
    /// The agent violates the protocol.
    Protocol(String),
    /// The agent has sent or accepted nothing for too long.
    Silent,
    /// The agent has gone.
    Gone,
}

impl End {
    /// Returns the end of a session whose agent sent a message larger than this.
    pub(super) fn too_large(most: usize) -> Self {
        Self::Protocol(format!("a message is larger than {most} bytes"))
    }

    /// Returns the notice for the agent's user.
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

    /// Returns the close frame, or `None` if the agent is not there any more.
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
