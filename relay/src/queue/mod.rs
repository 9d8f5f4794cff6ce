//! Defines the durable queue between ingest and sessions, and the promises of every engine.
//!
//! `ingest` appends events; `session` reads after its cursor and acknowledges. This module
//! knows nothing of HTTP or websockets. `conformance` has one test per promise, and every
//! engine must pass all of them.

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

/// Id of a tunnel in the queue. It is assigned once and never reused for another tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TunnelId(pub(crate) i64);

/// Id of an agent's session, unique in a store for ever. A newer session has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct SessionId(pub(crate) i64);

/// A durable queue per tunnel.
///
/// Sequence numbers count from 1 per tunnel, without holes. A number is never used twice,
/// regardless of acknowledgements, removals and restarts. All futures may be dropped at any
/// time; an append or acknowledgement in progress may then happen or not.
pub(crate) trait Queue: fmt::Debug + Send + Sync {
    /// Stores an event at the end of the tunnel's queue.
    ///
    /// Invariant 1: returns only after the event is on stable storage.
    fn append(
        &self,
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> BoxFuture<'_, Result<Seq, AppendError>>;

    /// Returns the oldest events after `after`, in order. Waits for the first one. Returns an
    /// empty list if the events were removed meanwhile, which [`Queue::gaps`] reports.
    fn read_after(
        &self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> BoxFuture<'_, Result<Vec<EventFrame>, QueueError>>;

    /// Returns a receiver for the depth of the tunnel's queue, which ends when the tunnel is
    /// deleted. While the receiver exists, new events are also kept in memory, within limits,
    /// so that a [`Queue::read_after`] that keeps up does not read from storage.
    fn follow(&self, tunnel: TunnelId)
    -> BoxFuture<'_, Result<watch::Receiver<Depth>, QueueError>>;

    /// Removes every event up to and including `through`, and forgets the gaps that end there.
    /// Events that are not appended yet are not affected. If relays share the queue, a session
    /// whose tunnel another one took over removes nothing.
    fn acknowledge(
        &self,
        tunnel: TunnelId,
        by: SessionId,
        through: Seq,
    ) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Does the same as [`Self::acknowledge`] a little later, for an agent at work. The events
    /// are removed at once if they take the room of a new event, or before they would be
    /// counted. After a crash in between, they are still in the queue.
    fn acknowledge_soon(&self, tunnel: TunnelId, by: SessionId, through: Seq);

    /// Waits until there may be something for [`Self::settle`] to remove.
    fn wait_for_acknowledged(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    /// Removes the events that were acknowledged some moments ago. Called periodically.
    fn settle(&self) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Removes every event that has been in the queue for `max_age`, and records the removed
    /// ones as gaps. Ages count running time, see [`podtap_disk::age`]: setting the wall clock
    /// removes nothing.
    fn expire(&self, max_age: Duration, now: Now) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Returns the gaps of unread events that no acknowledgement has passed yet, oldest first.
    fn gaps(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Vec<Gap>, QueueError>>;

    /// Returns how much one tunnel's queue contains.
    fn depth(&self, tunnel: TunnelId) -> BoxFuture<'_, Result<Depth, QueueError>>;

    /// Returns how much all queues together contain.
    fn totals(&self) -> BoxFuture<'_, Result<Totals, QueueError>>;

    /// Returns the reason why an event could not be appended now, whichever its tunnel is.
    fn probe(&self) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Finishes the commands in progress and releases the storage. Later calls fail.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Maximum size of one read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadLimit {
    /// Number of events, at least one.
    pub(crate) events: usize,
    /// Number of bytes, heads included, after which no further event is added. One event is
    /// always read whole.
    pub(crate) bytes: usize,
}

/// State of one tunnel's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Depth {
    /// Last removed event; all events before it are removed too.
    pub(crate) removed: Seq,
    /// Last appended event.
    pub(crate) last: Seq,
    /// Bytes in the queue.
    pub(crate) bytes: u64,
}

impl Depth {
    /// Waits until there is an event after this one. The current depth is marked as seen before
    /// the queue is read, so that the next wait notices a commit during the read.
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

    /// Returns the number of events in the queue.
    pub(crate) fn events(&self) -> u64 {
        self.last.0.saturating_sub(self.removed.0)
    }
}

/// Content of all queues together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Number of events.
    pub(crate) events: u64,
    /// Number of bytes.
    pub(crate) bytes: u64,
}

/// Events that a limit removed before an agent received them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// First missing event.
    pub(crate) from: Seq,
    /// Last missing event, inclusive.
    pub(crate) to: Seq,
    /// Reason for readers, such as the limit that removed the events.
    pub(crate) reason: String,
}

/// Limits of an engine; see [`crate::config::Limits`].
#[derive(Debug, Clone)]
pub(crate) struct EngineLimits {
    pub(crate) max_events: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_owner_events: u64,
    pub(crate) max_owner_bytes: u64,
    /// Limit of all queues together, or [`u64::MAX`] without a limit.
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

/// Reason why an event was not stored. Nothing of it remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    /// The tunnel's queue has reached its limit.
    #[error("the tunnel's queue is full")]
    Full,
    /// The queues of the tunnel's owner have together reached the limit per owner.
    #[error("the owner's queues are full")]
    OwnerFull,
    /// The queues of the tunnel's owner contain as much as is left for all owners.
    #[error("the owner's share of the storage is used up")]
    ShareOfDisk,
    /// All queues have together reached their limit.
    #[error("the queues are full")]
    AllFull,
    /// The disk is nearly full.
    #[error("the relay's disk is nearly full")]
    NoSpace,
    /// The tunnel was deleted.
    #[error("the tunnel does not exist")]
    UnknownTunnel,
    /// The storage does not work now, or the queue is closed.
    #[error("the queue cannot store anything at present")]
    Unavailable,
}

/// Reason why the queue could not be read or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueueError {
    /// The tunnel was deleted.
    #[error("the tunnel does not exist")]
    UnknownTunnel,
    /// The storage does not work now, or the queue is closed.
    #[error("the queue cannot be used at present")]
    Unavailable,
}

impl AppendError {
    /// Returns whether the removal of other events makes room for the refused event.
    pub(crate) fn wants_room(self) -> bool {
        match self {
            Self::Full | Self::OwnerFull | Self::ShareOfDisk | Self::AllFull => true,
            Self::NoSpace | Self::UnknownTunnel | Self::Unavailable => false,
        }
    }
}

/// Serializes headers as JSON, the form in which an engine stores them.
pub(crate) fn headers_as_json(headers: &HeaderList) -> Result<String, AppendError> {
    serde_json::to_string(headers).map_err(|error| {
        tracing::error!(%error, "headers cannot be written as JSON");
        AppendError::Unavailable
    })
}
