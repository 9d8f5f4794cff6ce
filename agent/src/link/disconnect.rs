//! Every way in which a connection to the relay can end, and whether to dial again: by type.

use std::time::Duration;

use podtap_connect::reason;
use podtap_wire::{ConnectRefusal, RefusalKind, TunnelHolder};

use crate::history::HistoryError;

/// How a connection, or the attempt to make one, ended.
#[derive(Debug)]
pub(super) enum Disconnect {
    /// It may come back.
    Retry {
        /// Why it ended, in words.
        reason: String,
        /// When the relay wants to see the agent again, where it said so.
        after: Option<Duration>,
    },
    /// It is over.
    Stop(Stop),
}

/// Why the link does not dial again.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Somebody asked the agent to end.
    Cancelled,
    /// The relay does not know the token.
    TokenRefused(String),
    /// The token was revoked while it was in use.
    TokenRevoked,
    /// The relay speaks no version of the protocol that is known here.
    VersionRefused(String),
    /// The relay cannot make sense of what it was asked.
    Refused(String),
    /// Another agent of the same owner has the tunnel.
    TakenOver(TunnelHolder),
    /// The history was closed under the link.
    History(HistoryError),
}

impl Disconnect {
    pub(super) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            reason: reason.into(),
            after: None,
        }
    }
}

impl From<ConnectRefusal> for Disconnect {
    fn from(ConnectRefusal { kind, message }: ConnectRefusal) -> Self {
        match kind {
            RefusalKind::Token => Self::Stop(Stop::TokenRefused(message)),
            RefusalKind::Version => Self::Stop(Stop::VersionRefused(message)),
            RefusalKind::Malformed | RefusalKind::NotFound => Self::Stop(Stop::Refused(message)),
            RefusalKind::Unavailable | RefusalKind::Unknown => Self::retry(message),
        }
    }
}

impl From<HistoryError> for Disconnect {
    /// Nothing that passes ends the link: what the relay holds stays there meanwhile.
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Closed => Self::Stop(Stop::History(error)),
            passing => Self::retry(format!("{passing}: {}", reason::words(&passing))),
        }
    }
}

impl Stop {
    /// Why, in words for the status.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Cancelled => "closed".to_owned(),
            Self::TokenRefused(message)
            | Self::VersionRefused(message)
            | Self::Refused(message) => message.clone(),
            Self::TokenRevoked => "the token was revoked".to_owned(),
            Self::TakenOver(holder) => holder.to_string(),
            Self::History(error) => error.to_string(),
        }
    }
}
