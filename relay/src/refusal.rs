//! Lists every reason to refuse a webhook, with the answer to each.
//!
//! Only this module knows the status codes: 503 for a temporary reason, 4xx for a permanent
//! one (invariant 5).

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};

use crate::answer::{HttpAnswer, text};
use crate::budget::ExhaustedBudget;
use crate::methods::Objection;

/// Reason why a webhook was refused. Nothing of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownTunnel,
    /// The request names no host, several, or an invalid one.
    Host,
    /// The method is not accepted.
    Method,
    /// The method is not a known one.
    UnknownMethod,
    /// The body has a transfer coding other than `chunked`, or an ambiguous length.
    TransferCoding,
    /// A browser asks for a service worker, which would also control the paths of other tunnels.
    ServiceWorker,
    TooLarge {
        max_body_bytes: usize,
    },
    /// The body did not arrive in time.
    Slow,
    /// The connection was lost within the body.
    Broken,
    /// The tunnel's rate is used up.
    Rate {
        retry_after: Duration,
    },
    /// This peer's share of the tunnel's rate is used up.
    ShareOfRate {
        retry_after: Duration,
    },
    /// This peer's rate, over all tunnels, is used up.
    PeerRate {
        retry_after: Duration,
    },
    QueueFull,
    /// The queues of the tunnel's owner are together full.
    OwnerQueueFull,
    /// The queues of the owner contain as much as is left for all owners.
    ShareOfDisk,
    /// All queues are together full.
    AllQueuesFull,
    NoSpace,
    /// Too many bytes of bodies are being received now.
    Memory,
    /// Too many bytes of bodies are being received now for this tunnel.
    TunnelMemory,
    /// Too many bytes of heads are in memory now, of all peers or of this one.
    HeadMemory,
    /// The storage does not work, or not fast enough.
    Unavailable,
}

/// Value of `Retry-After` if the refusal has no better one.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Time for which the body of a refused webhook is still read, so that a sender that writes
/// everything before it reads gets the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same time for a sender that has no business here.
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);

impl Refusal {
    /// One value of each kind.
    pub(crate) const ALL: [Self; 21] = {
        const NOW: Duration = Duration::ZERO;
        [
            Self::UnknownTunnel,
            Self::Host,
            Self::Method,
            Self::UnknownMethod,
            Self::TransferCoding,
            Self::ServiceWorker,
            Self::TooLarge { max_body_bytes: 0 },
            Self::Slow,
            Self::Broken,
            Self::Rate { retry_after: NOW },
            Self::ShareOfRate { retry_after: NOW },
            Self::PeerRate { retry_after: NOW },
            Self::QueueFull,
            Self::OwnerQueueFull,
            Self::ShareOfDisk,
            Self::AllQueuesFull,
            Self::NoSpace,
            Self::Memory,
            Self::TunnelMemory,
            Self::HeadMemory,
            Self::Unavailable,
        ]
    };

    /// Returns the reason as used in the metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnknownTunnel => "unknown-tunnel",
            Self::Host => "host",
            Self::Method => "method",
            Self::UnknownMethod => "unknown-method",
            Self::TransferCoding => "transfer-coding",
            Self::ServiceWorker => "service-worker",
            Self::TooLarge { .. } => "too-large",
            Self::Slow => "slow",
            Self::Broken => "broken",
            Self::Rate { .. } => "rate",
            Self::ShareOfRate { .. } => "share-of-rate",
            Self::PeerRate { .. } => "peer-rate",
            Self::QueueFull => "queue-full",
            Self::OwnerQueueFull => "owner-queue-full",
            Self::ShareOfDisk => "share-of-disk",
            Self::AllQueuesFull => "all-queues-full",
            Self::NoSpace => "no-space",
            Self::Memory => "memory",
            Self::TunnelMemory => "tunnel-memory",
            Self::HeadMemory => "head-memory",
            Self::Unavailable => "unavailable",
        }
    }

    /// Returns the status and the text of the answer.
    fn says(self) -> (StatusCode, &'static str) {
        const PASSING: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
        match self {
            Self::UnknownTunnel => (StatusCode::NOT_FOUND, "there is no tunnel at this URL"),
            Self::Host => (
                StatusCode::BAD_REQUEST,
                "the request must name exactly one valid host",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "this relay does not accept webhooks with this method",
            ),
            Self::UnknownMethod => (StatusCode::NOT_IMPLEMENTED, "this is not an HTTP method"),
            Self::TransferCoding => (
                StatusCode::NOT_IMPLEMENTED,
                "the only transfer coding accepted is a single `chunked`",
            ),
            Self::ServiceWorker => (
                StatusCode::FORBIDDEN,
                "service workers are not allowed on this host",
            ),
            Self::TooLarge { .. } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than allowed",
            ),
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            ),
            Self::Broken => (StatusCode::BAD_REQUEST, "the body ended early"),
            Self::Rate { .. } => (
                PASSING,
                "too many webhooks for this tunnel, try again later",
            ),
            Self::ShareOfRate { .. } => (
                PASSING,
                "too many webhooks for this tunnel from one address, try again later",
            ),
            Self::PeerRate { .. } => (
                PASSING,
                "too many webhooks from this address, try again later",
            ),
            Self::QueueFull => (
                PASSING,
                "this tunnel's queue is full until its agent reconnects",
            ),
            Self::OwnerQueueFull => (
                PASSING,
                "the queues of this tunnel's owner are full until an agent reconnects",
            ),
            Self::ShareOfDisk => (
                PASSING,
                "the storage share of this tunnel's owner is full until an agent reconnects",
            ),
            Self::AllQueuesFull => (PASSING, "the relay's queues are full until agents connect"),
            Self::NoSpace => (PASSING, "the relay's disk is nearly full"),
            Self::Memory | Self::HeadMemory => (PASSING, "the relay is busy, try again later"),
            Self::TunnelMemory => (
                PASSING,
                "this tunnel receives too much at the same time, try again later",
            ),
            Self::Unavailable => (PASSING, "the relay cannot store webhooks now"),
        }
    }

    /// Returns the answer to the sender.
    pub(crate) fn answer(self) -> Response<HttpAnswer> {
        let (status, words) = self.says();
        let mut answer = match self {
            Self::TooLarge { max_body_bytes } => {
                let words = format!("the body is larger than the {max_body_bytes} bytes allowed");
                text(status, words)
            }
            _ => text(status, words),
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, self.retry_after());
        }
        // After such a body, it is also unclear where the next request begins.
        if status == StatusCode::REQUEST_TIMEOUT || self == Self::TransferCoding {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
        }
        answer
    }

    /// Returns the reason that the tunnel's owner sees.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::TooLarge { max_body_bytes } => format!("body over {max_body_bytes} bytes"),
            _ => self
                .says()
                .1
                .trim_end_matches(", try again later")
                .to_owned(),
        }
    }

    /// Returns for how long the rest of the body is still read.
    pub(crate) fn patience(self) -> Duration {
        match self {
            Self::Slow | Self::Broken => Duration::ZERO,
            Self::UnknownTunnel
            | Self::Host
            | Self::Method
            | Self::UnknownMethod
            | Self::TransferCoding
            | Self::ServiceWorker
            | Self::PeerRate { .. }
            | Self::HeadMemory => LITTLE_PATIENCE,
            _ => PATIENCE,
        }
    }

    fn retry_after(self) -> HeaderValue {
        let wait = match self {
            Self::Rate { retry_after }
            | Self::ShareOfRate { retry_after }
            | Self::PeerRate { retry_after } => retry_after,
            _ => RETRY_AFTER,
        };
        // Whole seconds, rounded up: RFC 9110 §10.2.3.
        HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }
}

impl From<ExhaustedBudget> for Refusal {
    fn from(why: ExhaustedBudget) -> Self {
        match why {
            ExhaustedBudget::Budget => Self::Memory,
            ExhaustedBudget::Key => Self::TunnelMemory,
        }
    }
}

impl From<Objection> for Refusal {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::NotAllowed => Self::Method,
            Objection::Unknown => Self::UnknownMethod,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_503_with_a_time_and_what_never_will_is_not() {
        let retry_after = Duration::from_millis(1200);
        let passing = [
            Refusal::Rate { retry_after },
            Refusal::ShareOfRate { retry_after },
            Refusal::PeerRate { retry_after },
            Refusal::QueueFull,
            Refusal::OwnerQueueFull,
            Refusal::ShareOfDisk,
            Refusal::AllQueuesFull,
            Refusal::NoSpace,
            Refusal::Memory,
            Refusal::TunnelMemory,
            Refusal::HeadMemory,
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
            (Refusal::Host, 400),
            (Refusal::Method, 405),
            (Refusal::UnknownMethod, 501),
            (Refusal::TransferCoding, 501),
            (Refusal::ServiceWorker, 403),
            (Refusal::TooLarge { max_body_bytes: 9 }, 413),
            (Refusal::Slow, 408),
            (Refusal::Broken, 400),
        ];
        for (refusal, status) in lasting {
            assert_eq!(refusal.answer().status(), status, "{refusal:?}");
        }
        assert_eq!(passing.len() + lasting.len(), Refusal::ALL.len());
    }
}
