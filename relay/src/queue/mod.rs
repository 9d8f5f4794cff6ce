//! The durable queue between ingest and sessions: what every engine promises.
//!
//! `ingest` appends, `session` reads after its cursor and acknowledges. Nothing here knows of HTTP
//! or websockets. `conformance` holds one test a promise; every engine is stamped with all of them.

pub(crate) mod batch;
pub(crate) mod commands;
#[cfg(test)]
pub(crate) mod conformance;
pub(crate) mod recent;
pub(crate) mod share;
pub(crate) mod sqlite;

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use podtap_disk::age::Now;
use podtap_wire::{EventFrame, EventId, HeaderList, Seq, WebhookRequest};
use tokio::sync::watch;

use crate::config::Limits;

/// A tunnel as the queue knows it: given once, never used again for another tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TunnelId(pub(crate) i64);

/// One session of an agent, of all that a store ever had: the newer one has the greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct SessionId(pub(crate) i64);

/// A durable queue per tunnel.
///
/// Sequence numbers count from 1 per tunnel, without holes, and are never used twice, whatever is
/// acknowledged, removed or restarted. All futures may be dropped at any time; an append or an
/// acknowledgement that was under way may then happen or not.
pub(crate) trait Queue: fmt::Debug + Send + Sync {
    /// Stores an event at the end of the tunnel's queue.
    ///
    /// Invariant 1: resolves only after the event is on stable storage.
    fn append(
        &self,
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> BoxFuture<'_, Result<Seq, AppendError>>;

    /// The oldest events after `after`, in order: waits for the first one. None at all where those
    /// that there were are gone, which [`Queue::gaps`] tells.
    fn read_after(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> BoxFuture<'_, Result<Vec<EventFrame>, QueueError>>;

    /// How the tunnel's queue stands, and every change of that; ends with the tunnel. While the
    /// receiver lives, what is appended is kept in memory as well, within limits, so that a
    /// [`Queue::read_after`] that keeps up needs no storage.
    fn follow(&self, tunnel: TunnelId)
    -> BoxFuture<'_, Result<watch::Receiver<Depth>, QueueError>>;

    /// Removes every event up to `through`, inclusive, and forgets the gaps that end there.
    /// What was not appended yet is not affected. Where relays share the queue, a session that
    /// another one took the tunnel from removes nothing.
    fn acknowledge(
        &self,
        tunnel: TunnelId,
        by: SessionId,
        through: Seq,
    ) -> BoxFuture<'_, Result<(), QueueError>>;

    /// The same within a moment, for an agent at work: at once where these events are in the way of
    /// another, or would be counted. After a crash meanwhile they are still here.
    fn acknowledge_soon(&self, tunnel: TunnelId, by: SessionId, through: Seq);

    /// Resolves when there may be something for [`Self::settle`] to remove.
    fn wait_for_acknowledged(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    /// Removes what was acknowledged some moments ago. Called by the clock.
    fn settle(&self) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Removes every event that has been here for `max_age` and remembers what is missing as gaps.
    /// Ages count running time, see [`podtap_disk::age`]: a wall clock that is set removes nothing.
    fn expire(&self, max_age: Duration, now: Now) -> BoxFuture<'_, Result<(), QueueError>>;

    /// What was removed unread and has not been gone past by an acknowledgement, oldest first.
    fn gaps(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Vec<Gap>, QueueError>>;

    /// What waits in one tunnel's queue.
    fn depth(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Depth, QueueError>>;

    /// What waits in all queues together.
    fn totals(&self) -> BoxFuture<'_, Result<Totals, QueueError>>;

    /// Why an event would not be appended now, whichever tunnel's it is.
    fn probe(&self) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Finishes what was begun and releases the storage; later calls fail.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// How much one read may bring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadLimit {
    /// Events, at least one.
    pub(crate) events: usize,
    /// Bytes, heads included, after which no further event is added; one event is always read
    /// whole.
    pub(crate) bytes: usize,
}

/// The state of one tunnel's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Depth {
    /// The last one removed; everything up to it is gone.
    pub(crate) removed: Seq,
    /// The last one appended.
    pub(crate) last: Seq,
    /// Bytes held.
    pub(crate) bytes: u64,
}

impl Depth {
    /// Waits until there is an event after this one. It is marked as seen before the queue is read:
    /// a commit during the read is seen by the next wait.
    pub(crate) async fn wait_past(
        depth: &mut watch::Receiver<Self>,
        after: Seq,
    ) -> Result<(), QueueError> {
        while depth.borrow_and_update().last <= after {
            let changed = depth.changed().await;
            changed.map_err(|_| QueueError::UnknownTunnel)?;
        }
        Ok(())
    }

    /// Events held.
    pub(crate) fn events(&self) -> u64 {
        self.last.0.saturating_sub(self.removed.0)
    }
}

/// The state of all queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Events held.
    pub(crate) events: u64,
    /// Bytes held.
    pub(crate) bytes: u64,
}

/// Events that a limit removed before any agent took them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The first one gone.
    pub(crate) from: Seq,
    /// The last one gone, inclusive.
    pub(crate) to: Seq,
    /// Which limit, in words.
    pub(crate) reason: String,
}

/// The bounds of an engine; see [`crate::config::Limits`].
#[derive(Debug, Clone)]
pub(crate) struct EngineLimits {
    pub(crate) max_events: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_owner_events: u64,
    pub(crate) max_owner_bytes: u64,
    /// Of all queues together; any number where there is no limit.
    pub(crate) max_total_bytes: u64,
    pub(crate) min_free_bytes: u64,
    pub(crate) reserve_bytes: u64,
}

impl From<&Limits> for EngineLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            max_events: limits.max_queue_events,
            max_bytes: limits.max_queue_bytes,
            max_owner_events: limits.max_owner_queue_events,
            max_owner_bytes: limits.max_owner_queue_bytes,
            max_total_bytes: limits.max_total_queue_bytes.unwrap_or(u64::MAX),
            min_free_bytes: limits.min_free_bytes,
            reserve_bytes: limits.reserve_bytes,
        }
    }
}

/// Why an event was not stored. Nothing of it remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    /// The tunnel's queue holds as much as it may.
    #[error("the tunnel's queue is full")]
    Full,
    /// The queues of the tunnel's owner hold together as much as they may.
    #[error("the owner's queues are full")]
    OwnerFull,
    /// The queues of the tunnel's owner hold as much as is left for all.
    #[error("the owner's share of the storage is used up")]
    ShareOfDisk,
    /// All queues hold together as much as they may.
    #[error("the queues are full")]
    AllFull,
    /// The disk is nearly full.
    #[error("the relay's disk is nearly full")]
    NoSpace,
    /// The tunnel was deleted meanwhile.
    #[error("the tunnel does not exist")]
    UnknownTunnel,
    /// The storage does not work at present, or the queue is closed.
    #[error("the queue cannot store anything at present")]
    Unavailable,
}

/// Why the queue could not be read or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueueError {
    /// The tunnel was deleted.
    #[error("the tunnel does not exist")]
    UnknownTunnel,
    /// The storage does not work at present, or the queue is closed.
    #[error("the queue cannot be used at present")]
    Unavailable,
}

impl AppendError {
    /// Whether the removal of other events makes room for what was refused.
    pub(crate) fn wants_room(self) -> bool {
        match self {
            Self::Full | Self::OwnerFull | Self::ShareOfDisk | Self::AllFull => true,
            Self::NoSpace | Self::UnknownTunnel | Self::Unavailable => false,
        }
    }
}

/// Headers as an engine's row has them.
pub(crate) fn headers_as_json(headers: &HeaderList) -> Result<String, AppendError> {
    serde_json::to_string(headers).map_err(|error| {
        tracing::error!(%error, "headers cannot be written as JSON");
        AppendError::Unavailable
    })
}
