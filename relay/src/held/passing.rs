//! The requests of one session, and in which stage each is. One short lock; whoever is told of a
//! change is told after it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::{EventId, HeldFrame, WebhookResponse};
use tokio::sync::{Notify, oneshot};

/// Requests that are held for one session at a moment; an agent's window may be smaller.
pub(super) const MAX_REQUESTS: usize = 1024;

/// Bytes of them, heads included. All bodies of all tunnels are within `max_inflight_bytes` as well.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Stored events that a session has still to send, up to which requests wait for them: one read.
pub(super) const MAX_BEHIND: u64 = 256;

/// What one session passes through.
#[derive(Debug)]
pub(crate) struct Passing {
    max_requests: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// How many have come: the next one's number.
    came: u64,
    /// By number, as the other two: not sent yet.
    waiting: BTreeMap<u64, Request>,
    sent: BTreeMap<u64, Request>,
    /// The numbers of those that were sent.
    numbers: HashMap<EventId, u64>,
    turned_away: BTreeMap<u64, Request>,
    /// One that was turned away is about to be handed to the queue.
    has_turn: bool,
    /// Requests that were never sent and are on their way into the queue.
    unstored: usize,
    bytes: usize,
    sent_bytes: usize,
}

#[derive(Debug)]
struct Request {
    frame: Arc<HeldFrame>,
    was_sent: bool,
    tell: oneshot::Sender<HeldOutcome>,
}

/// What becomes of a held request.
#[derive(Debug)]
pub(crate) enum HeldOutcome {
    /// The local service has answered.
    Answered(WebhookResponse),
    /// It is to be stored now, and answered by the relay.
    Store {
        frame: Arc<HeldFrame>,
        /// To be kept until the queue has answered.
        turn: Turn,
    },
}

/// The turn of a request that is to be stored.
#[derive(Debug)]
pub(crate) struct Turn {
    passing: Arc<Passing>,
    was_sent: bool,
    is_over: bool,
}

/// How a session stands, when it looks for requests to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionStanding {
    /// Events of the queue that it has not sent.
    pub(crate) behind: u64,
    /// What the agent's window has left; `None` where it has nothing.
    pub(crate) room: Option<WindowRoom>,
}

/// What may be under way at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowRoom {
    pub(crate) requests: usize,
    pub(crate) bytes: usize,
}

impl Passing {
    pub(super) fn new(max_requests: usize) -> Self {
        Self {
            max_requests: max_requests.clamp(1, MAX_REQUESTS),
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Takes a request in, if there is room. Its number, and what will become of it.
    pub(super) fn hold(
        &self,
        frame: Arc<HeldFrame>,
    ) -> Result<(u64, oneshot::Receiver<HeldOutcome>), Arc<HeldFrame>> {
        let bytes = bytes_of(&frame);
        let mut state = self.lock();
        let is_full = state.count() >= self.max_requests || state.bytes + bytes > MAX_BYTES;
        if state.is_closed || is_full {
            return Err(frame);
        }
        let (tell, outcome) = oneshot::channel();
        let number = state.came;
        state.came += 1;
        state.bytes += bytes;
        let request = Request {
            frame,
            was_sent: false,
            tell,
        };
        state.waiting.insert(number, request);
        drop(state);
        self.changed.notify_one();
        Ok((number, outcome))
    }

    /// Resolves when the session is to look again. For one session, which looks after it has asked.
    ///
    /// # Cancel safety
    /// Safe: a change that comes meanwhile is not lost.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The requests to send now, in order: all that wait, as far as the agent has room. The others
    /// are turned away, unless what they wait for is on its way.
    pub(crate) fn next(self: &Arc<Self>, standing: SessionStanding) -> Vec<Arc<HeldFrame>> {
        let mut frames = Vec::new();
        let mut state = self.lock();
        if state.waiting.is_empty() {
            return frames;
        }
        let room = standing.room.filter(|_| standing.behind <= MAX_BEHIND);
        let Some(room) = room else {
            state.turn_away_unsent();
            drop(state);
            self.give_turn();
            return frames;
        };
        // Nothing overtakes what is in the queue, or on its way there.
        if standing.behind > 0 || state.unstored > 0 {
            return frames;
        }
        while let Some((number, mut request)) = state.waiting.pop_first() {
            let bytes = state.sent_bytes + request.bytes();
            if state.sent.len() >= room.requests || bytes > room.bytes {
                state.waiting.insert(number, request);
                state.turn_away_unsent();
                break;
            }
            state.sent_bytes = bytes;
            request.was_sent = true;
            frames.push(Arc::clone(&request.frame));
            state.numbers.insert(request.frame.id, number);
            state.sent.insert(number, request);
        }
        drop(state);
        self.give_turn();
        frames
    }

    /// Passes an answer on, if its request still waits for it.
    pub(crate) fn answer(&self, id: EventId, response: WebhookResponse) {
        let mut state = self.lock();
        let number = state.numbers.get(&id).copied();
        let request = number.and_then(|number| state.remove(number));
        drop(state);
        if let Some(request) = request {
            // A sender that has gone needs none.
            let _ = request.tell.send(HeldOutcome::Answered(response));
        }
    }

    /// Turns everything away from now on.
    pub(super) fn close(self: &Arc<Self>) {
        let mut state = self.lock();
        state.is_closed = true;
        state.numbers.clear();
        state.sent_bytes = 0;
        let (waiting, sent) = (
            std::mem::take(&mut state.waiting),
            std::mem::take(&mut state.sent),
        );
        state.unstored += waiting.len();
        state.turned_away.extend(waiting);
        state.turned_away.extend(sent);
        drop(state);
        self.give_turn();
    }

    /// Turns one request away, unless that was done or it was answered.
    pub(super) fn give_up(self: &Arc<Self>, number: u64) {
        let mut state = self.lock();
        if let Some(request) = state.waiting.remove(&number) {
            state.unstored += 1;
            state.turned_away.insert(number, request);
        } else if let Some(request) = state.remove_sent(number) {
            state.turned_away.insert(number, request);
        }
        drop(state);
        self.give_turn();
    }

    /// Forgets a request whose sender has gone.
    pub(super) fn forget(&self, number: u64) {
        let mut state = self.lock();
        let request = state.remove(number);
        drop(state);
        if request.is_some() {
            // Others may wait for it.
            self.changed.notify_one();
        }
    }

    /// Lets the first of those that were turned away go into the queue, unless one is about to.
    fn give_turn(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.has_turn {
            return;
        }
        let Some((_, request)) = state.turned_away.pop_first() else {
            return;
        };
        state.has_turn = true;
        state.bytes -= request.bytes();
        drop(state);
        let Request {
            frame,
            was_sent,
            tell,
        } = request;
        let turn = Turn::new(Arc::clone(self), was_sent);
        // One that has just gone gives its turn back as it is dropped.
        drop(tell.send(HeldOutcome::Store { frame, turn }));
    }

    /// One has been handed to the queue.
    pub(super) fn turn_is_over(self: &Arc<Self>) {
        self.lock().has_turn = false;
        self.give_turn();
    }

    /// One that was never sent is in the queue, or will not be.
    pub(super) fn note_stored(&self) {
        let mut state = self.lock();
        state.unstored = state.unstored.saturating_sub(1);
        drop(state);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests held, and their bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.lock();
        (state.count(), state.bytes)
    }
}

impl State {
    fn count(&self) -> usize {
        self.waiting.len() + self.sent.len() + self.turned_away.len()
    }

    fn turn_away_unsent(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.unstored += waiting.len();
        self.turned_away.extend(waiting);
    }

    /// Takes a request out, whichever stage it is in.
    fn remove(&mut self, number: u64) -> Option<Request> {
        let turned_away = self.turned_away.remove(&number);
        if turned_away
            .as_ref()
            .is_some_and(|request| !request.was_sent)
        {
            self.unstored -= 1;
        }
        let request = turned_away
            .or_else(|| self.waiting.remove(&number))
            .or_else(|| self.remove_sent(number))?;
        self.bytes -= request.bytes();
        Some(request)
    }

    fn remove_sent(&mut self, number: u64) -> Option<Request> {
        let request = self.sent.remove(&number)?;
        self.numbers.remove(&request.frame.id);
        self.sent_bytes -= request.bytes();
        Some(request)
    }
}

impl Request {
    fn bytes(&self) -> usize {
        bytes_of(&self.frame)
    }
}

impl Turn {
    fn new(passing: Arc<Passing>, was_sent: bool) -> Self {
        Self {
            passing,
            was_sent,
            is_over: false,
        }
    }

    /// It is handed over: the next one may follow.
    pub(crate) fn is_over(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.passing.turn_is_over();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.is_over();
        if !self.was_sent {
            self.passing.note_stored();
        }
    }
}

/// What a request takes in memory, about.
pub(super) fn bytes_of(frame: &HeldFrame) -> usize {
    size_of::<HeldFrame>() + frame.request.footprint()
}
