//! Holds requests whose sender waits for the local service, without storing them.
//!
//! This is done under `respond: local`, if the agent supports it (`hello.pass_through`).
//!
//! Such a request is promised nothing until it is answered. The relay keeps it in memory and sends
//! it to the tunnel's session at once, and the local service's answer comes back the same way. The
//! agent sends that answer only after the event is in its own history, on stable storage. So an
//! answered event is never lost, though the relay has not stored it. If the relay must answer by
//! itself, it stores the event first, with the same id, and answers 200. The queue then sends the
//! event to the agent again; an agent that already has the event recognizes its id (invariant 1).
//!
//! `ingest` has a [`HeldPlace`] for each request, the session has a [`SessionDoor`]. Between them
//! is one [`PassThrough`] per session, in which one lock ensures that each request is in exactly one
//! stage:
//!
//! ```text
//! waiting ──▶ sent ──▶ answered
//!    │          │
//!    └────┬─────┘
//!         ▼
//!    turned away ──▶ in the queue (`Turn`), answered 200
//! ```
//!
//! What may happen at the same moment:
//!
//! - *Answer and time limit.* The first to take the lock wins. A later answer finds no request and
//!   is dropped: the event is being stored, the sender gets the 200, and the agent already has the
//!   event.
//! - *Answer and loss of the link*, or a take-over of the session, or the shutdown of the relay:
//!   the same. All requests that were sent and not answered are turned away, in the order in which
//!   they arrived. An answer over the next session finds no request, because each session has its
//!   own requests.
//! - *The sender hangs up.* Its request is removed at any stage, once the relay notices. A sender
//!   that only closes its sending side still waits for the answer. Nothing was promised. The agent
//!   may have the event: then the event is in the history and is delivered like any other.
//! - *Events in the queue that the session has not sent* go first (invariant 2). The session
//!   decides between two sends, by the state of the queue at that time. A commit is announced
//!   before it is answered, so that an event that was answered 200 is sent before any later
//!   request. A few such events are sent within a moment, and requests wait for them. If there are
//!   more, or if the agent's window has no room, the requests are turned away.
//! - *Requests that are turned away unsent* are not overtaken by later ones, which wait until the
//!   queue has answered. They go into the queue one after the other, each after the previous one
//!   was handed over, so that the order in which tasks wake up does not matter.
//! - *Acknowledgements* concern the queue alone: a held request has no `seq`, so that none is
//!   missing.
//! - *A relay that is killed* has not answered any request that it held; the agent may have the
//!   event. *An agent that is killed* loses the link, see above. It has not answered any event
//!   that it had not committed.

mod passing;
mod place;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::HeldFrame;

pub(crate) use passing::{HeldOutcome, PassThrough, SessionStanding, WindowRoom};
pub(crate) use place::HeldPlace;

use crate::queue::TunnelId;
use crate::responders::Responders;

/// All requests that this relay holds.
#[derive(Debug)]
pub(crate) struct HeldRequests {
    /// Tunnels whose events are stored, because their agents do not accept held requests.
    pub(crate) stored: Responders,
    doors: Mutex<Doors>,
}

#[derive(Debug, Default)]
struct Doors {
    is_closed: bool,
    by_tunnel: HashMap<TunnelId, Arc<PassThrough>>,
}

/// A session's access to the held requests of its tunnel. When it is dropped, its requests
/// are turned away.
#[derive(Debug)]
pub(crate) struct SessionDoor {
    held: Arc<HeldRequests>,
    tunnel: TunnelId,
    pub(crate) passing: Arc<PassThrough>,
}

/// Result of trying to hold a request.
#[derive(Debug)]
pub(crate) enum HoldOutcome {
    /// The request is held and waits for an answer.
    Held(HeldPlace),
    /// There is no room: the caller stores the event and answers at once.
    NoRoom(Arc<HeldFrame>),
    /// This relay has no session that passes requests of this tunnel through.
    NoDoor(Arc<HeldFrame>),
}

impl HeldRequests {
    /// Creates an empty collection.
    pub(crate) fn new(stored: Responders) -> Self {
        Self {
            stored,
            doors: Mutex::default(),
        }
    }

    /// Opens the door of a tunnel to a session that accepts at most this number of requests at
    /// once. The tunnel's previous session receives no more requests. Returns `None` if other
    /// relays accept webhooks of the tunnel too: their events are in the queue and would be
    /// overtaken.
    pub(crate) fn open(
        self: &Arc<Self>,
        tunnel: TunnelId,
        max_requests: usize,
    ) -> Option<SessionDoor> {
        if self.stored.has_others() {
            return None;
        }
        let passing = Arc::new(PassThrough::new(max_requests));
        let mut doors = self.lock();
        let is_closed = doors.is_closed;
        let older = doors.by_tunnel.insert(tunnel, Arc::clone(&passing));
        drop(doors);
        if let Some(older) = older {
            older.close();
        }
        if is_closed {
            passing.close();
        }
        Some(SessionDoor {
            held: Arc::clone(self),
            tunnel,
            passing,
        })
    }

    /// Holds a request if the tunnel has a session with room.
    pub(crate) fn hold(&self, tunnel: TunnelId, frame: Arc<HeldFrame>) -> HoldOutcome {
        let passing = self.lock().by_tunnel.get(&tunnel).cloned();
        match passing {
            None => HoldOutcome::NoDoor(frame),
            Some(passing) => match passing.hold(frame) {
                Ok((number, outcome)) => {
                    HoldOutcome::Held(HeldPlace::new(passing, number, outcome))
                }
                Err(frame) => HoldOutcome::NoRoom(frame),
            },
        }
    }

    /// Turns away all requests from now on, because the relay shuts down.
    pub(crate) fn close(&self) {
        let mut doors = self.lock();
        doors.is_closed = true;
        let all: Vec<_> = doors.by_tunnel.values().cloned().collect();
        drop(doors);
        for passing in all {
            passing.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionDoor {
    /// Ends the session: its requests are turned away, and so are requests that arrive later.
    pub(crate) fn close(&self) {
        self.passing.close();
    }
}

impl Drop for SessionDoor {
    fn drop(&mut self) {
        self.close();
        let mut doors = self.held.lock();
        let own = doors.by_tunnel.get(&self.tunnel);
        if own.is_some_and(|own| Arc::ptr_eq(own, &self.passing)) {
            doors.by_tunnel.remove(&self.tunnel);
        }
    }
}
