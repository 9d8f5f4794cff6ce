//! What can be watched of the sandbox: calls that came in, webhooks that went out.

use std::time::Duration;

use podtap_podio::EventType;

/// Something that the sandbox did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// It answered a call of its API.
    Call {
        /// In capital letters, as HTTP has it.
        method: String,
        /// The path, without the query.
        path: String,
        /// The status of the answer.
        status: u16,
    },
    /// It sent a webhook.
    Sent(SentWebhook),
}

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentWebhook {
    /// As the API lists it.
    pub hook_id: u64,
    /// The type that the hook is for, or `hook.verify`.
    pub event: EventType,
    /// The hook's URL as registered.
    pub url: String,
    /// Podio's own parameters, in the order of its documentation.
    pub params: Vec<(String, String)>,
    /// 1 for the first sending, more for re-sends.
    pub attempt: u32,
    /// How it ended.
    pub outcome: SendOutcome,
    /// After how long.
    pub took: Duration,
}

/// How an attempt to deliver a webhook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The receiver answered with this status.
    Answered(u16),
    /// No answer within the time limit.
    TimedOut,
    /// Lost on the way: it was never sent.
    Swallowed,
    /// No connection, or it broke.
    Unreachable(String),
}

impl SendOutcome {
    /// Podio counts a 2xx as success and nothing else (podio.md 1.3).
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered(200..300))
    }

    /// Podio is reported to send again after 5xx and not after 4xx; after time-outs and failed
    /// connections is a guess.
    pub fn is_sent_again(&self) -> bool {
        match self {
            Self::Answered(status) => *status >= 500,
            Self::TimedOut | Self::Unreachable(_) => true,
            Self::Swallowed => false,
        }
    }
}
