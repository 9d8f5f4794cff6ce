//! Defines what an engine provides for its tests, and what the tests have in common.

use std::sync::Arc;

use jiff::Timestamp;
use podtap_wire::{EventFrame, EventId, HeaderList, Seq, WebhookRequest};

use crate::queue::{AppendError, EngineLimits, Queue, ReadLimit, SessionId, TunnelId};

/// An engine under test.
pub(crate) trait Bench: Sized {
    /// Returns whether the programs that the engine needs are installed. If not, prints a message.
    fn is_available() -> bool {
        true
    }
    /// Creates an empty queue.
    async fn new(limits: EngineLimits) -> Self;
    /// Returns the queue in the form in which the relay uses it.
    fn queue(&self) -> Arc<dyn Queue>;
    /// Creates a tunnel of this owner.
    async fn tunnel_of(&self, owner: &str) -> TunnelId;
    /// Creates a tunnel. All tunnels of this function have the same owner.
    async fn tunnel(&self) -> TunnelId {
        self.tunnel_of("ada").await
    }
    /// Deletes a tunnel without the queue, as another process does.
    async fn delete(&self, tunnel: TunnelId);
    /// Ends the queue without warning and opens it again.
    async fn restart(self) -> Self;
}

pub(crate) const WIDE: EngineLimits = EngineLimits {
    max_events: 1_000_000,
    max_bytes: 1 << 30,
    max_owner_events: 1_000_000,
    max_owner_bytes: 1 << 30,
    max_total_bytes: u64::MAX,
    min_free_bytes: 0,
    reserve_bytes: 0,
};

/// Id of a session whose tunnel was never taken over.
pub(crate) const NOBODY: SessionId = SessionId(0);

pub(super) const ALL: ReadLimit = ReadLimit {
    events: 100_000,
    bytes: 1 << 30,
};

pub(super) fn webhook(body: impl Into<Vec<u8>>) -> WebhookRequest {
    WebhookRequest {
        received_at: Timestamp::from_millisecond(1_764_000_000_123).unwrap(),
        method: "POST".to_owned(),
        path: "/a%2F?q=1".to_owned(),
        headers: HeaderList::from_iter([("x-raw", b"\xff\x00".to_vec()), ("x", b"1".to_vec())]),
        peer: Some([192, 0, 2, 1].into()),
        body: body.into().into(),
    }
}

pub(crate) async fn append(
    queue: &dyn Queue,
    tunnel: TunnelId,
    body: &str,
) -> Result<Seq, AppendError> {
    let webhook = webhook(body);
    let id = EventId::generate(webhook.received_at).unwrap();
    queue.append(tunnel, id, webhook).await
}

pub(super) async fn append_numbers(queue: &dyn Queue, tunnel: TunnelId, count: u64) {
    for number in 1..=count {
        append(queue, tunnel, &number.to_string()).await.unwrap();
    }
}

pub(super) async fn read(queue: &dyn Queue, tunnel: TunnelId, after: u64) -> Vec<EventFrame> {
    queue.read_after(tunnel, Seq(after), ALL).await.unwrap()
}

pub(super) fn numbers(events: &[EventFrame]) -> Vec<u64> {
    events.iter().map(|event| event.seq.0).collect()
}
