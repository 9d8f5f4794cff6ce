//! The local service's answers that go back to the sender.

mod allowance;
mod outbox;

use podtap_wire::ResponseFrame;

pub(crate) use allowance::{Allowance, AnswerPermit};
pub(crate) use outbox::Outbox;

/// An answer that waits for the relay, with its memory.
#[derive(Debug)]
pub(crate) struct QueuedAnswer {
    pub(crate) frame: ResponseFrame,
    pub(crate) room: Option<AnswerPermit>,
}

impl From<ResponseFrame> for QueuedAnswer {
    fn from(frame: ResponseFrame) -> Self {
        Self { frame, room: None }
    }
}
