//! The local service's answers that come in over a session, each to the request that waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use podtap_wire::{EventId, HeldFrame, ResponseFrame, ResponseTo, Seq};
use tokio::sync::watch;

use super::budget::BudgetGrant;
use super::window::SendWindow;
use crate::held::{HeldRequests, SessionDoor, SessionStanding, WindowRoom};
use crate::queue::Depth;

/// Answers to stored events awaited at one moment, beyond which those nobody waits for any more are
/// forgotten.
const MAX_AWAITED: usize = 1024;

/// Who waits for what this session's agent answers.
pub(super) struct AwaitedAnswers {
    held: Arc<HeldRequests>,
    /// Stored events that were sent.
    awaited: Mutex<HashMap<Seq, EventId>>,
    /// Where requests come through that are not stored, if the agent takes any.
    door: Option<SessionDoor>,
}

impl AwaitedAnswers {
    pub(super) fn new(held: Arc<HeldRequests>, door: Option<SessionDoor>) -> Self {
        Self {
            held,
            awaited: Mutex::default(),
            door,
        }
    }

    /// The session ends: whoever still waits is answered by the relay.
    pub(super) fn end(&self) {
        if let Some(door) = &self.door {
            door.close();
        }
    }

    /// A stored event is about to be sent.
    pub(super) fn will_send(&self, seq: Seq, id: EventId) {
        if !self.held.stored.is_waiting(id) {
            return;
        }
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if awaited.len() >= MAX_AWAITED {
            awaited.retain(|_, id| self.held.stored.is_waiting(*id));
        }
        awaited.insert(seq, id);
    }

    /// The next requests that are sent without being stored.
    ///
    /// # Cancel safety
    /// Safe: they are taken as this resolves.
    pub(super) async fn next_held(
        &self,
        depths: &watch::Receiver<Depth>,
        window: &Mutex<SendWindow>,
    ) -> Vec<Arc<HeldFrame>> {
        let Some(door) = &self.door else {
            return std::future::pending().await;
        };
        loop {
            let standing = {
                let window = window.lock().unwrap_or_else(PoisonError::into_inner);
                let last = depths.borrow().last;
                SessionStanding {
                    behind: last.0.saturating_sub(window.cursor().0),
                    room: window.room().map(|room| WindowRoom {
                        requests: room.events,
                        bytes: room.bytes,
                    }),
                }
            };
            let frames = door.passing.next(standing);
            if !frames.is_empty() {
                return frames;
            }
            door.passing.wait_for_change().await;
        }
    }

    /// Passes an answer on, if somebody still waits for it.
    pub(super) fn take(&self, answer: ResponseFrame, grant: Option<BudgetGrant>) {
        let ResponseFrame { to, mut response } = answer;
        if let Some(grant) = grant {
            let body = std::mem::take(&mut response.body);
            response.body = grant.keep_with(body);
        }
        match to {
            ResponseTo::Held(id) => {
                if let Some(door) = &self.door {
                    door.passing.answer(id, response);
                }
            }
            ResponseTo::Stored(seq) => {
                let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(id) = awaited.remove(&seq) {
                    self.held.stored.answer(id, response);
                }
            }
        }
    }
}
