//! The arguments and results of the history's writer.

use std::sync::Arc;

use podtap_wire::{EventId, Seq, WebhookRequest};
use tokio::sync::oneshot;

use super::error::HistoryError;
use super::event::{Attempt, DeliveryState};
use super::position::Position;

/// A webhook to store.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id: a second arrival of the same id is the same event.
    pub id: EventId,
    /// Its number in the relay's queue.
    pub seq: Option<Seq>,
    /// The request as it arrived.
    pub request: WebhookRequest,
    /// [`DeliveryState::Pending`] if it is to be delivered.
    pub state: DeliveryState,
}

/// An attempt that has ended, to be stored.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// The event's position.
    pub position: Position,
    /// Whether this target is to get another attempt.
    pub again: bool,
    /// The other targets of the event: it waits until each of them has answered, too.
    pub others: Vec<Arc<str>>,
    /// The attempt; the history assigns its number.
    pub attempt: Attempt,
}

/// The result of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendCounts {
    /// Number of new events.
    pub new: usize,
    /// Number of events that were already stored.
    pub known: usize,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, HistoryError>>;
