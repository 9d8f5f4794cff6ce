//! What an engine's writer stores and removes in one transaction, and what came of it.

use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use tokio::sync::oneshot;

use super::{AppendError, Depth, TunnelId, headers_as_json};

/// What an event costs beside its text and body: row, index and page overhead.
const ROW_BYTES: u64 = 128;

/// An event as its row, made by who appends it, not by the writer.
#[derive(Debug)]
pub(crate) struct QueuedEvent {
    pub(crate) tunnel: TunnelId,
    pub(crate) id: EventId,
    pub(crate) request: WebhookRequest,
    /// The request's headers as JSON.
    pub(crate) headers: String,
}

/// An event to be stored, and where the answer goes.
pub(crate) type Append = (QueuedEvent, oneshot::Sender<Result<Seq, AppendError>>);

/// How a removal stands after a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemovalStep {
    Finished,
    /// There is more than one transaction removes.
    More,
    UnknownTunnel,
}

/// What a transaction did; the order is that of what was asked.
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

    /// The event as a session gets it.
    pub(crate) fn into_frame(self, seq: Seq) -> EventFrame {
        EventFrame {
            seq,
            id: self.id,
            request: self.request,
        }
    }

    /// When it was received, in milliseconds since 1970.
    pub(crate) fn received_at(&self) -> i64 {
        self.request.received_at.as_millisecond()
    }

    /// What it counts for against the limits.
    pub(crate) fn bytes(&self) -> u64 {
        (self.headers.len() + self.request.path.len() + self.request.body.len()) as u64 + ROW_BYTES
    }
}

impl BatchOutcome {
    pub(crate) fn accepted_events(&self) -> usize {
        self.appended.iter().filter(|answer| answer.is_ok()).count()
    }
}
