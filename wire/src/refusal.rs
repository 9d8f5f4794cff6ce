//! Why a relay does not let an agent in: the JSON body of the HTTP answer at `/-/connect`.

use serde::{Deserialize, Serialize};

/// A refused connection, in words for a person and a kind for the agent's retry decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectRefusal {
    /// What the agent should conclude.
    pub kind: RefusalKind,
    /// One sentence, lower-case, without a full stop.
    pub message: String,
}

/// What kind of refusal it is. The agent gives up on those that do not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// The token is missing, unknown or revoked (HTTP 401).
    Token,
    /// No common protocol version (HTTP 400).
    Version,
    /// The request is not a well-formed websocket upgrade or the hello cannot be right (HTTP 400).
    Malformed,
    /// There is nothing of this name (HTTP 404).
    NotFound,
    /// The relay is full or going away; try again later (HTTP 503).
    Unavailable,
    /// A kind that this build does not know; treated as [`RefusalKind::Unavailable`].
    #[serde(other)]
    Unknown,
}

impl RefusalKind {
    /// Whether the same attempt may succeed later without anybody changing anything.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unknown)
    }

    /// The HTTP status that carries this refusal.
    pub const fn status(self) -> u16 {
        match self {
            Self::Token => 401,
            Self::Version | Self::Malformed => 400,
            Self::NotFound => 404,
            Self::Unavailable | Self::Unknown => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_newer_relay_is_retried() {
        let refusal: ConnectRefusal =
            serde_json::from_str(r#"{"kind":"moon-phase","message":"wait"}"#).unwrap();
        assert_eq!(refusal.kind, RefusalKind::Unknown);
        assert!(refusal.kind.may_pass());
    }
}
