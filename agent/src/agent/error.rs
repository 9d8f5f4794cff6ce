//! The errors with which an agent cannot be opened, or ends without being asked to.

use std::io;
use std::path::PathBuf;

use podtap_connect::tls::TlsUnavailable;
use podtap_wire::TunnelHolder;

use crate::history::HistoryError;
use crate::hooks::HooksError;
use crate::link::{DialError, Stop};
use crate::lock::HistoryLockError;
use crate::routes::InvalidRoute;

/// Why an agent could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Another agent serves a tunnel with this history.
    #[error("another podtap listen{} uses this history", pid.map_or(String::new(), |pid| format!(" (pid {pid})")))]
    Taken {
        /// Id of its process, if known.
        pid: Option<u32>,
    },
    /// The lock beside the history cannot be acquired.
    #[error("cannot lock {path}")]
    Lock {
        /// Path of the lock file.
        path: PathBuf,
        source: io::Error,
    },
    /// The configuration of the relay, the proxy or the token is invalid.
    #[error(transparent)]
    Link(#[from] DialError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsUnavailable),
    /// There are more routes than can be served.
    #[error(transparent)]
    Routes(#[from] InvalidRoute),
}

impl OpenError {
    /// Returns whether the same agent may open after a while: the disk is full or has an error, or
    /// another program locks the history.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::History(error) => error.may_pass_at_start(),
            Self::Lock { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

/// Why an agent ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The relay does not know the token.
    #[error("the relay refused this token: {message}")]
    TokenRefused { message: String },
    /// The token was revoked while it was in use.
    #[error("the token was revoked")]
    TokenRevoked,
    /// There is no common version of the protocol.
    #[error("the relay refused this podtap's version: {message}")]
    VersionRefused { message: String },
    /// The relay could not process the request.
    #[error("the relay refused: {message}")]
    Refused { message: String },
    /// Another agent of the same owner has the tunnel.
    #[error("{holder}")]
    TakenOver { holder: TunnelHolder },
    /// Podio would never call the configured hooks.
    #[error(transparent)]
    Hooks(#[from] HooksError),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Returns the result of the agent for the end of the link.
pub(super) fn result_of_stop(stop: Stop) -> Result<(), RunError> {
    Err(match stop {
        Stop::Cancelled => return Ok(()),
        Stop::TokenRefused(message) => RunError::TokenRefused { message },
        Stop::TokenRevoked => RunError::TokenRevoked,
        Stop::VersionRefused(message) => RunError::VersionRefused { message },
        Stop::Refused(message) => RunError::Refused { message },
        Stop::TakenOver(holder) => RunError::TakenOver { holder },
        Stop::History(error) => RunError::History(error),
    })
}

impl From<HistoryLockError> for OpenError {
    fn from(error: HistoryLockError) -> Self {
        match error {
            HistoryLockError::Taken(pid) => Self::Taken { pid },
            HistoryLockError::Io(path, source) => Self::Lock { path, source },
        }
    }
}
