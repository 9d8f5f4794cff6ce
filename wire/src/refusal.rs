//! Describes why a relay refuses an agent: the JSON body of the HTTP answer at `/-/connect`.

use serde::{Deserialize, Serialize};

/// A refused connection, with a message for people and a kind by which the agent decides
/// whether to retry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectRefusal {
    /// Kind of the refusal.
    pub kind: RefusalKind,
    /// Message of one sentence, in lower case, without a full stop.
    pub message: String,
}

/// Kind of a refusal. The agent gives up on those that are permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// The token is missing, unknown or revoked (HTTP 401).
    Token,
    /// The two sides have no protocol version in common (HTTP 400).
    Version,
    /// The request is not a well-formed websocket upgrade, or the hello is invalid (HTTP 400).
    Malformed,
    /// There is nothing of this name (HTTP 404).
    NotFound,
    /// The relay is full or shutting down; try again later (HTTP 503).
    Unavailable,
    /// A kind that this build does not know; treated as [`RefusalKind::Unavailable`].
    #[serde(other)]
    Unknown,
}

impl RefusalKind {
    /// Returns whether the same request may succeed later without any change by a person.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unknown)
    }

    /// Returns the HTTP status of an answer with this refusal.
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
