//! Events that have arrived and wait for their commit: several go into one, and each that is
//! certainly new is offered to delivery meanwhile.

use std::time::Duration;

use podtap_wire::{EventFrame, Seq};
use tokio::time::Instant;

use crate::history::{NewEvent, Writer};

/// How long an event waits for others to share its commit: a person sees no delay, and each commit
/// costs a sync of the disk.
const GATHER_FOR: Duration = Duration::from_millis(10);

/// Events that are committed without waiting for more.
const GATHER_EVENTS: usize = 64;

/// Bytes of events, heads included, that wait for a commit or are in one; beyond it nothing more is
/// read from the relay.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of events that are committed without waiting for more.
const GATHER_BYTES: usize = 256 * 1024;

/// The events of the next commit.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) events: Vec<NewEvent>,
    /// The first so many of them were offered to delivery, the others not.
    pub(super) offered: usize,
    pub(super) through: Seq,
    bytes: usize,
    since: Option<Instant>,
    /// Bytes of the commit under way.
    under_commit: usize,
    /// Whether it holds events that were not offered.
    after_others: bool,
}

impl Gathered {
    /// Adds an event, and offers it to delivery unless one before it goes the long way, through its
    /// commit (invariant 2).
    pub(super) fn add(&mut self, writer: &Writer, frame: EventFrame) {
        let EventFrame { seq, id, request } = frame;
        self.bytes += request.footprint();
        self.through = seq;
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

    pub(super) fn has_room(&self) -> bool {
        self.bytes + self.under_commit < MAX_BYTES
    }

    /// When they are to be committed; `None` where there are none.
    pub(super) fn due(&self) -> Option<Instant> {
        let since = self.since?;
        let is_enough = self.events.len() >= GATHER_EVENTS || self.bytes >= GATHER_BYTES;
        Some(if is_enough { since } else { since + GATHER_FOR })
    }

    /// All of them, to be committed now; [`Gathered::committed`] afterwards.
    pub(super) fn take(&mut self) -> Self {
        let taken = std::mem::take(self);
        self.under_commit = taken.bytes;
        self.after_others = taken.offered < taken.events.len();
        taken
    }

    /// The commit has ended.
    pub(super) fn committed(&mut self) {
        (self.under_commit, self.after_others) = (0, false);
    }
}
