//! Defines what can be observed of the sandbox: calls that it answered, webhooks that it sent.

use std::time::Duration;

use podtap_podio::EventType;

/// An action of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// It answered a call of its API.
    Call {
        /// Method in capital letters.
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
    /// Id of the hook, as in the API.
    pub hook_id: u64,
    /// Type of the hook, or `hook.verify`.
    pub event: EventType,
    /// The hook's URL as registered.
    pub url: String,
    /// Podio's own parameters, in the order of its documentation.
    pub params: Vec<(String, String)>,
    /// 1 for the first attempt, more for re-sends.
    pub attempt: u32,
    /// How it ended.
    pub outcome: SendOutcome,
    /// Time that the attempt took.
    pub took: Duration,
}

/// Outcome of an attempt to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The receiver answered with this status.
    Answered(u16),
    /// No answer within the time limit.
    TimedOut,
    /// The webhook was lost on purpose and never sent.
    Swallowed,
    /// The connection failed or broke.
    Unreachable(String),
}

impl SendOutcome {
    /// Returns whether Podio counts the outcome as success: a 2xx and nothing else (podio.md 1.3).
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered(200..300))
    }

    /// Returns whether the webhook is sent again. Podio is reported to do so after 5xx and not
    /// after 4xx; for time-outs and failed connections this is a guess.
    pub fn is_sent_again(&self) -> bool {
        match self {
            Self::Answered(status) => *status >= 500,
            Self::TimedOut | Self::Unreachable(_) => true,
            Self::Swallowed => false,
        }
    }
}
