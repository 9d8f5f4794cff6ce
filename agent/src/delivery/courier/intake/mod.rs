//! Decides which events go into the lanes, each once: events that have just arrived, before their
//! commit, and events of the history. Pure.
//!
//! An arriving event is delivered immediately only if no older event can still come: everything
//! that was committed before it is in the lanes or done, and no earlier arrival was skipped
//! (invariant 2). Its outcome waits for its commit, which assigns its position; its end is written
//! to the history after that.

use std::collections::HashMap;
use std::sync::Arc;

use podtap_wire::EventId;

use super::ahead::{self, ReadAhead};
use super::claim::{EventClaim, TargetShare};
use crate::history::{
    Attempt, CommittedEvents, Event, EventKey, HoldReason, PendingPage, Position, StoredEvent,
    WaitingEvent,
};

/// Maximum number of events that are delivered ahead
/// of their commit: a commit takes some milliseconds.
const MAX_UNSTORED: usize = 512;

/// Maximum bytes of their outcomes that wait for a commit.
const MAX_UNSTORED_BYTES: usize = 8 * 1024 * 1024;

/// The outcome for an event, to be written to the history.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CameOf {
    /// An attempt ended. `again` says whether this target gets another attempt, and `others` are
    /// the other targets of the event.
    Attempt {
        attempt: Box<Attempt>,
        again: bool,
        others: Vec<Arc<str>>,
    },
    /// The event must not be delivered.
    Hold(HoldReason),
}

impl CameOf {
    fn bytes(&self) -> usize {
        use crate::history::Outcome::{Answered, Failed};
        match self {
            Self::Attempt { attempt, .. } => match &attempt.outcome {
                Answered { headers, body, .. } => headers.footprint() + body.len(),
                Failed { error } => error.len(),
            },
            Self::Hold(_) => 0,
        }
    }
}

/// What the courier has to do.
#[derive(Debug)]
pub(super) enum IntakeStep {
    /// Put the event into its lane. It had `attempts` attempts and takes `size` bytes of memory.
    Deliver {
        event: Box<Event>,
        attempts: u32,
        size: usize,
        share: TargetShare,
    },
    /// Record that all targets of the event have answered it.
    Settle(EventKey),
    /// Write this outcome to the history.
    Write(EventKey, CameOf),
}

/// An event that was taken before its commit.
#[derive(Debug, Default)]
struct UncommittedEvent {
    position: Option<Position>,
    /// Outcomes that wait for the event's position.
    outcomes: Vec<CameOf>,
    is_done: bool,
}

/// The state of the events between their arrival and their end.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// Every waiting event of the history up to this position is in a lane or done.
    read_through: Position,
    /// The newest event of the history.
    newest: Position,
    /// Events taken before their commit, until they are done and `read_through` has passed them.
    early: HashMap<EventId, UncommittedEvent>,
    unstored: usize,
    unstored_bytes: usize,
    passed_by: Option<PassedBy>,
    ahead: ReadAhead,
}

/// The last arrival that was not taken. Until the history returns it, no later event overtakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PassedBy {
    /// It has not been committed yet.
    Unstored(EventId),
    At(Position),
}

impl Intake {
    /// Notes that the history has events up to this position.
    pub(super) fn reaches(&mut self, newest: Position) {
        self.newest = newest;
    }

    /// Returns the position after which the history must be read, if it must.
    pub(super) fn read_after(&self) -> Option<Position> {
        let must = self.read_through < self.newest && self.ahead.has_room();
        must.then_some(self.read_through)
    }

    /// Handles an event that arrived when the history had events up to `after`. Returns what to do
    /// if the event is delivered immediately.
    pub(super) fn add_arrival(
        &mut self,
        event: Box<Event>,
        after: Position,
        is_held: bool,
        claim: EventClaim,
    ) -> Option<IntakeStep> {
        let has_room = self.ahead.has_room()
            && self.unstored < MAX_UNSTORED
            && self.unstored_bytes < MAX_UNSTORED_BYTES;
        let is_overtaking = match self.passed_by {
            Some(PassedBy::Unstored(_)) => true,
            Some(PassedBy::At(place)) => self.read_through < place,
            None => false,
        };
        if is_held || !has_room || is_overtaking || self.read_through < after {
            self.passed_by = Some(PassedBy::Unstored(event.id));
            return None;
        }
        self.passed_by = None;
        self.unstored += 1;
        let share = match claim {
            EventClaim::Mine(share) => Some(share),
            EventClaim::Others | EventClaim::Answered => None,
        };
        let early = UncommittedEvent {
            is_done: share.is_none(),
            ..UncommittedEvent::default()
        };
        self.early.insert(event.id, early);
        Some(self.deliver(event, 0, share?))
    }

    /// Handles committed events.
    pub(super) fn add_committed(
        &mut self,
        committed: CommittedEvents,
        claim: impl Fn(&Event) -> EventClaim,
    ) -> Vec<IntakeStep> {
        let mut todo = Vec::new();
        let mut joins = committed.after <= self.read_through;
        for stored in committed.events {
            let position = stored.position();
            self.place_passed_by(stored.id(), position);
            if self.early.contains_key(&stored.id()) {
                self.place(stored.id(), position, &mut todo);
            } else if let StoredEvent::New(event) = stored
                && joins
                && position > self.read_through
                && self.ahead.has_room()
            {
                if let EventClaim::Mine(share) = claim(&event) {
                    todo.push(self.deliver(event, 0, share));
                }
            } else if position > self.read_through {
                // From here on, events are read from the history.
                joins = false;
            }
            if joins {
                self.read_through = self.read_through.max(position);
            }
        }
        if joins {
            self.read_through = self.read_through.max(committed.through);
        }
        self.forget();
        todo
    }

    /// Handles events that were read from the history.
    pub(super) fn take_page(
        &mut self,
        page: PendingPage,
        claim: impl Fn(&WaitingEvent) -> EventClaim,
    ) -> Vec<IntakeStep> {
        let mut todo = Vec::new();
        for waiting in page.events {
            let event = &waiting.event;
            self.place_passed_by(event.id, event.position);
            if self.early.contains_key(&event.id) {
                self.place(event.id, event.position, &mut todo);
            } else if event.position > self.read_through {
                match claim(&waiting) {
                    EventClaim::Mine(share) => {
                        let (event, attempts) = (Box::new(waiting.event), waiting.attempts);
                        todo.push(self.deliver(event, attempts, share));
                    }
                    EventClaim::Others => {}
                    EventClaim::Answered => todo.push(IntakeStep::Settle(EventKey {
                        position: event.position,
                        id: event.id,
                    })),
                }
            }
        }
        self.read_through = self.read_through.max(page.through);
        self.forget();
        todo
    }

    /// Handles the outcome of an event. Returns what
    /// to write now, if the event's position is known.
    pub(super) fn came_of(&mut self, event: &Event, outcome: CameOf) -> Option<IntakeStep> {
        let id = event.id;
        let key = |position| EventKey { position, id };
        if event.position > Position::default() {
            return Some(IntakeStep::Write(key(event.position), outcome));
        }
        let early = self.early.get_mut(&event.id)?;
        if let Some(position) = early.position {
            return Some(IntakeStep::Write(key(position), outcome));
        }
        self.unstored_bytes += outcome.bytes();
        early.outcomes.push(outcome);
        None
    }

    /// Notes that an event of this size is done.
    pub(super) fn finish(&mut self, id: EventId, size: usize) {
        self.ahead.remove(size);
        if let Some(early) = self.early.get_mut(&id) {
            early.is_done = true;
            if early.is_over(self.read_through) {
                self.early.remove(&id);
            }
        }
    }

    /// Returns whether no outcome waits for a commit.
    pub(super) fn is_settled(&self) -> bool {
        self.early.values().all(|early| early.outcomes.is_empty())
    }

    fn deliver(&mut self, mut event: Box<Event>, attempts: u32, share: TargetShare) -> IntakeStep {
        let size = ahead::lighten(&mut event);
        self.ahead.add(size);
        IntakeStep::Deliver {
            event,
            attempts,
            size,
            share,
        }
    }

    fn place_passed_by(&mut self, id: EventId, position: Position) {
        if self.passed_by == Some(PassedBy::Unstored(id)) {
            self.passed_by = Some(PassedBy::At(position));
        }
    }

    /// Sets the position of an event that was taken before its commit.
    fn place(&mut self, id: EventId, position: Position, todo: &mut Vec<IntakeStep>) {
        let Some(early) = self.early.get_mut(&id) else {
            return;
        };
        if early.position.replace(position).is_none() {
            self.unstored -= 1;
        }
        for outcome in early.outcomes.drain(..) {
            self.unstored_bytes -= outcome.bytes();
            todo.push(IntakeStep::Write(EventKey { position, id }, outcome));
        }
    }

    fn forget(&mut self) {
        let read_through = self.read_through;
        self.early.retain(|_, early| !early.is_over(read_through));
    }
}

impl UncommittedEvent {
    /// Returns whether the event can be forgotten: it is done, and reading has passed it. Before
    /// that, a read could still return it as waiting, because the history may not have its end yet.
    fn is_over(&self, read_through: Position) -> bool {
        self.is_done && self.position.is_some_and(|place| place <= read_through)
    }
}

#[cfg(test)]
mod tests;
