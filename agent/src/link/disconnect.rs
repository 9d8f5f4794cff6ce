//! All the ways in which a connection to the relay can end; the type says whether to dial again.

use std::time::Duration;

use podtap_connect::reason;
use podtap_wire::{ConnectRefusal, RefusalKind, TunnelHolder};

use crate::history::HistoryError;

/// How a connection, or the attempt to connect, ended.
#[derive(Debug)]
pub(super) enum Disconnect {
    /// The connection may work again.
    Retry {
        /// Why it ended, in words.
        reason: String,
        /// Time after which the relay expects the agent again, if the relay sent one.
        after: Option<Duration>,
    },
    /// The link must not dial again.
    Stop(Stop),
}

/// Why the link does not dial again.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The agent was asked to end.
    Cancelled,
    /// The relay does not know the token.
    TokenRefused(String),
    /// The token was revoked while it was in use.
    TokenRevoked,
    /// The relay speaks no protocol version that this agent knows.
    VersionRefused(String),
    /// The relay cannot process the request.
    Refused(String),
    /// Another agent of the same owner has the tunnel.
    TakenOver(TunnelHolder),
    /// The history was closed while the link used it.
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
    /// An error that may pass does not end the link: meanwhile the relay keeps its events.
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Closed => Self::Stop(Stop::History(error)),
            passing => Self::retry(format!("{passing}: {}", reason::words(&passing))),
        }
    }
}

impl Stop {
    /// Returns the reason in words for the status.
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
