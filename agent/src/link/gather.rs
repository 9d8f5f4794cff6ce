//! Collects events that have arrived and wait for their commit. Several share one commit, and each
//! event that is certainly new is offered to delivery meanwhile. If a sender waits for the answer,
//! the commit does not wait for more events.

use std::time::Duration;

use podtap_wire::{EventFrame, EventId, HeldFrame, Seq, WebhookRequest};
use tokio::time::Instant;

use crate::history::{Incident, NewEvent, PASSED_THROUGH, Writer};

/// Time for which an event waits for others to share its commit: a person notices no delay, and
/// each commit costs a sync of the disk.
const GATHER_FOR: Duration = Duration::from_millis(10);

/// Minimum time between commits while events keep arriving: each commit rewrites a dozen pages,
/// even if it adds little to them. Meanwhile the waiting events are already being delivered.
const APART: Duration = Duration::from_millis(100);

/// Number of events that are committed without waiting for more.
const GATHER_EVENTS: usize = 256;

/// Divisor of the window: events that fill this part of it are committed without waiting for more,
/// so that the relay sends the next ones while these are acknowledged.
const GATHER_SHARE: usize = 4;

/// Maximum bytes of events, heads included, that wait for a commit or are being committed; beyond
/// it nothing more is read from the relay.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of events that are committed without waiting for more.
const GATHER_BYTES: usize = 256 * 1024;

/// The events of the next commit.
#[derive(Debug, Default)]
pub(super) struct EventBatch {
    pub(super) events: Vec<NewEvent>,
    /// Ids of the events that the relay has not stored.
    pub(super) held: Vec<EventId>,
    /// Number of events at the start that were offered to delivery; the others were not.
    pub(super) offered: usize,
    /// The last event of the relay's queue, if any is from the queue.
    pub(super) through: Option<Seq>,
    /// The incident that the relay reported after these events. Nothing more is read until it is
    /// written.
    pub(super) incident: Option<Incident>,
    bytes: usize,
    since: Option<Instant>,
    /// Number of events that are enough for a commit.
    enough: usize,
    /// Start of the last commit.
    last: Option<Instant>,
    /// Bytes of the running commit.
    under_commit: usize,
    /// Whether the running commit contains events that were not offered.
    after_others: bool,
}

impl EventBatch {
    /// Creates an empty batch for a connection with at most `window` unacknowledged events.
    pub(super) fn within(window: u32) -> Self {
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        Self {
            enough: (window / GATHER_SHARE).clamp(1, GATHER_EVENTS),
            ..Self::default()
        }
    }

    /// Adds an event and offers it to delivery, unless an earlier one is delivered only after its
    /// commit (invariant 2).
    pub(super) fn add(&mut self, writer: &Writer, frame: EventFrame) {
        let EventFrame { seq, id, request } = frame;
        self.through = Some(seq);
        self.add_event(writer, seq, id, request);
    }

    /// Adds an event that the relay has not stored.
    pub(super) fn add_held(&mut self, writer: &Writer, frame: HeldFrame) {
        let HeldFrame { id, request } = frame;
        self.held.push(id);
        self.add_event(writer, PASSED_THROUGH, id, request);
    }

    fn add_event(&mut self, writer: &Writer, seq: Seq, id: EventId, request: WebhookRequest) {
        self.bytes += request.footprint();
        self.since.get_or_insert_with(Instant::now);
        let event = NewEvent {
            id,
            seq: Some(seq),
            request,
            state: writer.state_of_new(),
        };
        let may_go = !self.after_others && self.offered == self.events.len();
        self.offered += usize::from(writer.offer(&event, may_go));
        self.events.push(event);
    }

    /// Adds an incident that the relay reported. In the history, it is between the events before it
    /// and the events after it.
    pub(super) fn add_incident(&mut self, incident: Option<Incident>) {
        if incident.is_some() {
            self.incident = incident;
            self.since.get_or_insert_with(Instant::now);
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.incident.is_none() && self.bytes + self.under_commit < MAX_BYTES
    }

    /// Returns when the events must be committed; `None` if there are none.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let since = self.since?;
        let is_enough = self.events.len() >= self.enough || self.bytes >= GATHER_BYTES;
        if is_enough || !self.held.is_empty() || self.incident.is_some() {
            return Some(since);
        }
        let soon = since + GATHER_FOR;
        // An event that was not offered is delivered from the history, after its commit.
        let may_wait = self.offered == self.events.len();
        let apart = self.last.map(|last| last + APART).filter(|_| may_wait);
        Some(apart.map_or(soon, |apart| apart.max(soon)))
    }

    /// Takes all events, to be committed now; [`Self::finish_commit`] must follow.
    pub(super) fn take(&mut self) -> Self {
        let taken = std::mem::take(self);
        (self.enough, self.last) = (taken.enough, Some(Instant::now()));
        self.under_commit = taken.bytes;
        self.after_others = taken.offered < taken.events.len();
        taken
    }

    /// Notes that the commit has ended.
    pub(super) fn finish_commit(&mut self) {
        (self.under_commit, self.after_others) = (0, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(events: u64, enough: usize) -> EventBatch {
        let event = |seq| NewEvent {
            id: EventId::from_bytes([0; 16]),
            seq: Some(Seq(seq)),
            request: WebhookRequest {
                received_at: jiff::Timestamp::UNIX_EPOCH,
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: podtap_wire::HeaderList::default(),
                peer: None,
                body: bytes::Bytes::new(),
            },
            state: crate::history::DeliveryState::Pending,
        };
        let events: Vec<_> = (0..events).map(event).collect();
        EventBatch {
            offered: events.len(),
            since: Some(Instant::now()),
            events,
            enough,
            ..EventBatch::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_event_is_committed_soon_and_a_stream_of_them_in_groups() {
        let now = Instant::now();
        let mut all = gather(1, 100);
        assert_eq!(all.due_at(), Some(now + GATHER_FOR));

        drop(all.take());
        let last = all.last;
        let next = EventBatch {
            last,
            ..gather(1, 100)
        };
        assert_eq!(next.due_at(), Some(now + APART));

        let passed_by = EventBatch {
            last,
            offered: 0,
            ..gather(1, 100)
        };
        assert_eq!(passed_by.due_at(), Some(now + GATHER_FOR));

        tokio::time::advance(APART).await;
        let after_a_pause = EventBatch {
            last,
            ..gather(1, 100)
        };
        assert_eq!(after_a_pause.due_at(), Some(now + APART + GATHER_FOR));
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_the_window_is_committed_at_once() {
        let now = Instant::now();
        for (window, enough) in [
            (1, 1),
            (10, 2),
            (1024, GATHER_EVENTS),
            (u32::MAX, GATHER_EVENTS),
        ] {
            assert_eq!(EventBatch::within(window).enough, enough, "{window}");
        }
        let last = Some(now);
        let full = EventBatch {
            last,
            ..gather(2, 2)
        };
        assert_eq!(full.due_at(), Some(now));
    }
}
