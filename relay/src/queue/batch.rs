//! Describes what an engine's writer stores and removes in one transaction, and the outcome.

use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use tokio::sync::oneshot;

use super::{AppendError, Depth, TunnelId, headers_as_json};

/// Size of an event beside its text and body: overhead of row, index and page.
const ROW_BYTES: u64 = 128;

/// An event in the form of its database row. The caller that appends it creates this, not
/// the writer.
#[derive(Debug)]
pub(crate) struct QueuedEvent {
    pub(crate) tunnel: TunnelId,
    pub(crate) id: EventId,
    pub(crate) request: WebhookRequest,
    /// The request's headers as JSON.
    pub(crate) headers: String,
}

/// An event to store, and where to send the result.
pub(crate) type Append = (QueuedEvent, oneshot::Sender<Result<Seq, AppendError>>);

/// State of a removal after a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemovalStep {
    Finished,
    /// More events remain to be removed than fit into one transaction.
    More,
    UnknownTunnel,
}

/// Result of a transaction, in the order of the commands.
#[derive(Debug, Default)]
pub(crate) struct BatchOutcome {
    pub(crate) appended: Vec<Result<Seq, AppendError>>,
    pub(crate) steps: Vec<RemovalStep>,
    pub(crate) depths: Vec<(TunnelId, Depth)>,
}

impl QueuedEvent {
    pub(crate) fn new(
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> Result<Self, AppendError> {
        let headers = headers_as_json(&request.headers)?;
        Ok(Self {
            tunnel,
            id,
            request,
            headers,
        })
    }

    /// Converts the event into the form that a session sends.
    pub(crate) fn into_frame(self, seq: Seq) -> EventFrame {
        EventFrame {
            seq,
            id: self.id,
            request: self.request,
        }
    }

    /// Returns the time of receipt in milliseconds since 1970.
    pub(crate) fn received_at(&self) -> i64 {
        self.request.received_at.as_millisecond()
    }

    /// Returns the number of bytes that count against the limits.
    pub(crate) fn bytes(&self) -> u64 {
        (self.headers.len() + self.request.path.len() + self.request.body.len()) as u64 + ROW_BYTES
    }
}

impl BatchOutcome {
    pub(crate) fn accepted_events(&self) -> usize {
        self.appended.iter().filter(|answer| answer.is_ok()).count()
    }
}
