//! Answers in flight between relays: one holds a sender's request, another has the agent that
//! answers it.

use std::fmt;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending, ready};
use podtap_wire::{EventId, WebhookResponse};

use crate::queue::QueueError;

/// What carries answers from one relay to another. None is promised to arrive: who waits gives up
/// in time, and the event is stored.
pub(crate) trait AnswerExchange: fmt::Debug + Send + Sync {
    /// Whether another relay may wait for an answer that an agent of this one gives.
    fn is_shared(&self) -> bool;

    /// Says that this relay waits for the answer to an event, whose agent another one has. Before
    /// the event is stored, or the answer might be the faster one.
    fn expect(&self, id: EventId) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Says that it waits no more.
    fn forget(&self, id: EventId);

    /// Passes an answer on, if any relay still waits for it.
    fn post(&self, id: EventId, response: WebhookResponse)
    -> BoxFuture<'_, Result<(), QueueError>>;

    /// Resolves with answers that this relay waits for, when there are any.
    fn take_arrived(&self) -> BoxFuture<'_, Vec<(EventId, WebhookResponse)>>;
}

/// For a relay that has its tunnels to itself: no answer comes from elsewhere.
#[derive(Debug, Default)]
pub(crate) struct NoOthers;

impl AnswerExchange for NoOthers {
    fn is_shared(&self) -> bool {
        false
    }

    fn expect(&self, _: EventId) -> BoxFuture<'_, Result<(), QueueError>> {
        ready(Ok(())).boxed()
    }

    fn forget(&self, _: EventId) {}

    fn post(&self, _: EventId, _: WebhookResponse) -> BoxFuture<'_, Result<(), QueueError>> {
        ready(Ok(())).boxed()
    }

    fn take_arrived(&self) -> BoxFuture<'_, Vec<(EventId, WebhookResponse)>> {
        pending().boxed()
    }
}
