//! What can be asked of the history's writer.

use std::sync::Arc;

use podtap_wire::{EventId, Seq, WebhookRequest};
use tokio::sync::oneshot;

use super::error::HistoryError;
use super::event::{Attempt, DeliveryState};
use super::position::Position;

/// A webhook that is to enter the history.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its identity: a second arrival of the same id is the same event.
    pub id: EventId,
    /// Its place in the relay's queue.
    pub seq: Option<Seq>,
    /// The request as it came in.
    pub request: WebhookRequest,
    /// [`DeliveryState::Pending`] where it is to be delivered.
    pub state: DeliveryState,
}

/// An attempt that has ended and is to enter the history.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// Where the event is.
    pub position: Position,
    /// Whether the event still waits for another attempt at this target.
    pub again: bool,
    /// The other targets that are to have it: it waits until each has answered, too.
    pub others: Vec<Arc<str>>,
    /// The attempt; the history gives it its number.
    pub attempt: Attempt,
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// How many were new.
    pub new: usize,
    /// How many were there already.
    pub known: usize,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, HistoryError>>;
