//! Passes the local service's answers that arrive over a session to the requests that wait
//! for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use podtap_wire::{EventId, HeldFrame, ResponseFrame, ResponseTo, Seq};
use tokio::sync::watch;

use super::budget::BudgetGrant;
use super::window::SendWindow;
use crate::held::{HeldRequests, SessionDoor, SessionStanding, WindowRoom};
use crate::queue::Depth;

/// Number of stored events with an expected answer from which those without a waiting
/// request are removed.
const MAX_AWAITED: usize = 1024;

/// Answers that are expected from this session's agent.
pub(super) struct AwaitedAnswers {
    held: Arc<HeldRequests>,
    /// Stored events that were sent, by sequence number.
    awaited: Mutex<HashMap<Seq, EventId>>,
    /// Source of held requests, if the agent accepts them.
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

    /// Ends the session's access to held requests. The relay answers those that still wait.
    pub(super) fn end(&self) {
        if let Some(door) = &self.door {
            door.close();
        }
    }

    /// Notes that a stored event is about to be sent.
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

    /// Waits for the next held requests to send.
    ///
    /// # Cancel safety
    /// Safe: the requests are taken in the poll that completes.
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

    /// Passes an answer on, if a request still waits for it.
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
