//! Every way in which a webhook is not accepted, and the answer to each: the only place that knows
//! the codes. What may pass is 503, what never will is 4xx (invariant 5).

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};

use crate::queue::AppendError;
use crate::server::{Answer, text};

/// Why a webhook was not accepted. Nothing of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownTunnel,
    TooLarge {
        max_body_bytes: usize,
    },
    /// The body did not come in time.
    Slow,
    /// The connection broke off within the body.
    Broken,
    /// The tunnel's rate is used up until then.
    Rate {
        retry_after: Duration,
    },
    QueueFull,
    NoSpace,
    /// Too many bytes are being received at this moment.
    Busy,
    /// The storage does not work, or not fast enough.
    Unavailable,
}

/// When to come back after a refusal that says nothing better.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Refusal {
    /// The word for the metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnknownTunnel => "unknown-tunnel",
            Self::TooLarge { .. } => "too-large",
            Self::Slow => "slow",
            Self::Broken => "broken",
            Self::Rate { .. } => "rate",
            Self::QueueFull => "queue-full",
            Self::NoSpace => "no-space",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    /// What the sender hears.
    pub(crate) fn answer(self) -> Response<Answer> {
        let (status, words) = match self {
            Self::UnknownTunnel => (StatusCode::NOT_FOUND, "there is no tunnel at this URL"),
            Self::TooLarge { max_body_bytes } => {
                let words = format!("the body is larger than the {max_body_bytes} bytes allowed");
                return text(StatusCode::PAYLOAD_TOO_LARGE, words);
            }
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            ),
            Self::Broken => (StatusCode::BAD_REQUEST, "the body ended early"),
            Self::Rate { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many webhooks for this tunnel, come back",
            ),
            Self::QueueFull => (
                StatusCode::SERVICE_UNAVAILABLE,
                "this tunnel's queue is full until its agent comes back",
            ),
            Self::NoSpace => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the relay's disk is nearly full",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the relay is busy, come back",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the relay cannot store webhooks at present",
            ),
        };
        let mut answer = text(status, words);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, self.retry_after());
        }
        if status == StatusCode::REQUEST_TIMEOUT {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
        }
        answer
    }

    fn retry_after(self) -> HeaderValue {
        let wait = match self {
            Self::Rate { retry_after } => retry_after,
            _ => RETRY_AFTER,
        };
        // Whole seconds, rounded up: RFC 9110 §10.2.3.
        HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full => Self::QueueFull,
            AppendError::NoSpace => Self::NoSpace,
            AppendError::UnknownTunnel => Self::UnknownTunnel,
            AppendError::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_503_with_a_time_and_what_never_will_is_4xx() {
        let passing = [
            Refusal::Rate {
                retry_after: Duration::from_millis(1200),
            },
            Refusal::QueueFull,
            Refusal::NoSpace,
            Refusal::Busy,
            Refusal::Unavailable,
        ];
        for refusal in passing {
            let answer = refusal.answer();
            assert_eq!(answer.status(), 503, "{refusal:?}");
            assert!(answer.headers().contains_key("retry-after"), "{refusal:?}");
        }
        assert_eq!(passing[0].answer().headers()["retry-after"], "2");
        let lasting = [
            (Refusal::UnknownTunnel, 404),
            (Refusal::TooLarge { max_body_bytes: 9 }, 413),
            (Refusal::Slow, 408),
            (Refusal::Broken, 400),
        ];
        for (refusal, status) in lasting {
            assert_eq!(refusal.answer().status(), status, "{refusal:?}");
        }
    }
}
