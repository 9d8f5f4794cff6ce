//! The request to a target in one attempt, and its answer or failure.

use bytes::Bytes;
use podtap_wire::HeaderList;

use super::headers::{AttemptMarks, SenderOrigin};
use crate::answers::AnswerPermit;
use crate::history::Outcome;
use crate::target::Target;

/// A request and its target.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    pub(crate) target: &'a Target,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderList,
    pub(crate) body: &'a Bytes,
    pub(crate) origin: SenderOrigin<'a>,
    pub(crate) marks: AttemptMarks,
}

/// The answer of the local service.
#[derive(Debug)]
pub(crate) struct ServiceAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderList,
    /// The body, up to the configured limit.
    pub(crate) body: Bytes,
    /// Size of the whole body in bytes.
    pub(crate) body_bytes: u64,
    /// The memory reserved for the whole body, if it goes back to the sender.
    pub(crate) room: Option<AnswerPermit>,
}

impl ServiceAnswer {
    /// Returns the answer as the history stores it, with at most `max_bytes` of its body.
    pub(crate) fn into_outcome(self, max_bytes: usize) -> Outcome {
        let Self {
            status,
            headers,
            mut body,
            body_bytes,
            ..
        } = self;
        if body.len() > max_bytes {
            body = copy_of_first(&body, max_bytes);
        }
        Outcome::Answered {
            status,
            headers,
            body,
            body_bytes,
        }
    }
}

/// Returns a copy of the first bytes of a body, without keeping the memory of the rest.
pub(super) fn copy_of_first(body: &[u8], at_most: usize) -> Bytes {
    Bytes::copy_from_slice(body.get(..at_most).unwrap_or(body))
}

/// Why there is no answer, in words, and the consequence for the event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DeliveryFailure {
    /// No connection: the local service has not received the request.
    Unreachable(String),
    /// The connection was lost before the first byte of an
    /// answer: the service may have received the request.
    Lost(String),
    /// The answer is not HTTP.
    Garbled(String),
    /// No answer in time, an incomplete answer, or a request that cannot be sent.
    Ended(String),
}

impl DeliveryFailure {
    pub(crate) fn into_reason(self) -> String {
        match self {
            Self::Unreachable(reason)
            | Self::Lost(reason)
            | Self::Garbled(reason)
            | Self::Ended(reason) => reason,
        }
    }
}
