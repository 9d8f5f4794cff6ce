//! What goes to a target in one attempt, and what comes of it.

use bytes::Bytes;
use podtap_wire::HeaderList;

use super::headers::{AttemptMarks, SenderOrigin};
use crate::answers::AnswerPermit;
use crate::history::Outcome;
use crate::target::Target;

/// What to send where.
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

/// What the local service answered.
#[derive(Debug)]
pub(crate) struct ServiceAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderList,
    /// The body, up to the limit that was asked for.
    pub(crate) body: Bytes,
    /// The body's whole size.
    pub(crate) body_bytes: u64,
    /// The memory of the whole body, where that is to go back to the sender and may.
    pub(crate) room: Option<AnswerPermit>,
}

impl ServiceAnswer {
    /// The answer as the history keeps it: up to `max_bytes` of its body.
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

/// The first bytes of a body, without the memory of the rest.
pub(super) fn copy_of_first(body: &[u8], at_most: usize) -> Bytes {
    Bytes::copy_from_slice(body.get(..at_most).unwrap_or(body))
}

/// Why there is no answer, in words, and what that means for the event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DeliveryFailure {
    /// No connection: the local service has not seen the request.
    Unreachable(String),
    /// The connection was lost without a byte of an answer: it may have seen the request.
    Lost(String),
    /// Something was answered that is not HTTP.
    Garbled(String),
    /// There was no answer in time, half an answer, or nothing that could be sent.
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
