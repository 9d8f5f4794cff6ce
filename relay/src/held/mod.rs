//! Requests whose sender waits for the local service, and which the relay does not store: under
//! `respond: local`, with an agent that takes them (`hello.pass_through`).
//!
//! Such a request is promised nothing until it is answered. It is kept in memory, goes to the
//! tunnel's session at once, and the local service's answer comes back the same way. The agent sends
//! that answer only once the event is in its own history, on stable storage: so what was answered is
//! never lost, though the relay has not stored it. Where the relay must answer by itself it stores
//! the event first, with the same id, and answers 200. Then the event goes to the agent again as one
//! of the queue; an agent that has it already knows it by its id (invariant 1).
//!
//! `ingest` has a [`HeldPlace`] for each request, the session a [`SessionDoor`]; between them is [`Passing`],
//! one a session, where under one lock each request is in exactly one stage:
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
//! - *Answer and time limit.* Whichever takes the lock first. An answer that comes later finds no
//!   request and is dropped: the event is being stored, the sender gets the 200, the agent has the
//!   event already.
//! - *Answer and loss of the link*, or a session that is taken over, or a relay that shuts down: the
//!   same. All that was sent and not answered is turned away, in the order in which it came. An
//!   answer over the next session finds nothing: the requests of one session are its own.
//! - *A sender that hangs up* takes its request out, at any stage, once that is noticed: one that
//!   only ends its sending side still listens. Nothing was promised. The agent may have the event:
//!   then it is in the history and is delivered, as anything that was sent.
//! - *Events in the queue that the session has not sent* go first (invariant 2). The session decides,
//!   between two sends, with the queue as it stands then; a commit is told before it is answered,
//!   so that whoever was answered 200 is ahead of whoever comes later. A few such events are on
//!   their way in a moment: requests wait for them. With more, or without room in the agent's
//!   window, they are turned away.
//! - *Requests that are turned away unsent* are not overtaken by later ones: these wait until the
//!   queue has answered. They go into it one after the other, each after the one before it was
//!   handed over, so that none overtakes another because a task was woken sooner.
//! - *Acknowledgements* concern the queue alone: a request has no `seq`, so that none is missing.
//! - *A relay that is killed* has answered nothing of what it held; the agent may have it. *An agent
//!   that is killed* loses the link: see there. What it had not committed it has not answered.

mod passing;
mod place;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::HeldFrame;

pub(crate) use passing::{HeldOutcome, Passing, SessionStanding, WindowRoom};
pub(crate) use place::HeldPlace;

use crate::queue::TunnelId;
use crate::responders::Responders;

/// The requests that a relay holds.
#[derive(Debug)]
pub(crate) struct HeldRequests {
    /// Those whose events are stored, as their agents take nothing else.
    pub(crate) stored: Responders,
    doors: Mutex<Doors>,
}

#[derive(Debug, Default)]
struct Doors {
    is_closed: bool,
    by_tunnel: HashMap<TunnelId, Arc<Passing>>,
}

/// A session's side; its requests are turned away when this is dropped.
#[derive(Debug)]
pub(crate) struct SessionDoor {
    held: Arc<HeldRequests>,
    tunnel: TunnelId,
    pub(crate) passing: Arc<Passing>,
}

/// What became of a request that was to be held.
#[derive(Debug)]
pub(crate) enum Holding {
    /// It waits for its answer.
    Held(HeldPlace),
    /// It is to be stored and answered at once.
    NoRoom(Arc<HeldFrame>),
    /// No session here passes requests of this tunnel through.
    NoDoor(Arc<HeldFrame>),
}

impl HeldRequests {
    /// Holds nothing yet.
    pub(crate) fn new(stored: Responders) -> Self {
        Self {
            stored,
            doors: Mutex::default(),
        }
    }

    /// Lets the requests of a tunnel through to a session that takes so many at once. A session that
    /// had the tunnel before gets no more. `None` where other relays take webhooks of the tunnel too:
    /// theirs are in the queue, and would be overtaken.
    pub(crate) fn open(
        self: &Arc<Self>,
        tunnel: TunnelId,
        max_requests: usize,
    ) -> Option<SessionDoor> {
        if self.stored.has_others() {
            return None;
        }
        let passing = Arc::new(Passing::new(max_requests));
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

    /// Holds a request, if there is a session for it and room.
    pub(crate) fn hold(&self, tunnel: TunnelId, frame: Arc<HeldFrame>) -> Holding {
        let passing = self.lock().by_tunnel.get(&tunnel).cloned();
        match passing {
            None => Holding::NoDoor(frame),
            Some(passing) => match passing.hold(frame) {
                Ok((number, outcome)) => Holding::Held(HeldPlace::new(passing, number, outcome)),
                Err(frame) => Holding::NoRoom(frame),
            },
        }
    }

    /// Turns everything away from now on: the relay shuts down.
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
    /// The session ends: its requests are turned away, and so are those that come meanwhile.
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
