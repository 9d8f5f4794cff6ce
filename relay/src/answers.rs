//! Passes answers between relays: one relay holds a sender's request, another has the agent
//! that answers it.

use std::fmt;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending, ready};
use podtap_wire::{EventId, WebhookResponse};

use crate::queue::QueueError;

/// Carries answers from one relay to another. An answer may be lost; then the request's
/// time limit passes and the event is stored.
pub(crate) trait AnswerExchange: fmt::Debug + Send + Sync {
    /// Returns whether another relay may wait for an answer from an agent of this one.
    fn is_shared(&self) -> bool;

    /// Announces that this relay waits for the answer to an event, whose agent is connected to
    /// another relay. Called before the event is stored, because the answer might arrive first
    /// otherwise.
    fn expect(&self, id: EventId) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Announces that this relay does not wait for this answer any more.
    fn forget(&self, id: EventId);

    /// Passes an answer on, if any relay still waits for it.
    fn post(&self, id: EventId, response: WebhookResponse)
    -> BoxFuture<'_, Result<(), QueueError>>;

    /// Waits until there are answers for this relay, and returns them.
    fn take_arrived(&self) -> BoxFuture<'_, Vec<(EventId, WebhookResponse)>>;
}

/// Exchange of a relay that does not share its tunnels: no answer arrives from another relay.
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
