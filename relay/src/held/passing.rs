//! Stores the held requests of one session and the stage of each.
//!
//! One lock protects them. It is held briefly, and notifications are sent after it is released.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::{EventId, HeldFrame, WebhookResponse};
use tokio::sync::{Notify, oneshot};

/// Maximum number of requests held at once for one session. The agent's window may be smaller.
pub(super) const MAX_REQUESTS: usize = 1024;

/// Maximum number of bytes of these requests, heads included. In addition, the bodies of
/// all tunnels count towards `max_inflight_bytes`.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Maximum number of unsent queued events for which held requests wait: one read of the
/// queue. With more, the requests are turned away.
pub(super) const MAX_BEHIND: u64 = 256;

/// The held requests of one session.
#[derive(Debug)]
pub(crate) struct PassThrough {
    max_requests: usize,
    state: Mutex<PassingState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct PassingState {
    is_closed: bool,
    /// Number of requests so far, which is also the number of the next request.
    came: u64,
    /// Requests that are not sent yet, by number. `sent` and `turned_away` have the same keys.
    waiting: BTreeMap<u64, PassingRequest>,
    sent: BTreeMap<u64, PassingRequest>,
    /// Numbers of the requests in `sent`.
    numbers: HashMap<EventId, u64>,
    turned_away: BTreeMap<u64, PassingRequest>,
    /// Whether a request that was turned away is being handed to the queue.
    has_turn: bool,
    /// Number of requests that were turned away unsent and are not in the queue yet.
    unstored: usize,
    bytes: usize,
    sent_bytes: usize,
}

#[derive(Debug)]
struct PassingRequest {
    frame: Arc<HeldFrame>,
    was_sent: bool,
    tell: oneshot::Sender<HeldOutcome>,
}

/// Outcome of a held request.
#[derive(Debug)]
pub(crate) enum HeldOutcome {
    /// The local service has answered.
    Answered(WebhookResponse),
    /// The event must be stored now, and the relay answers.
    Store {
        frame: Arc<HeldFrame>,
        /// Keep this until the queue has answered.
        turn: Turn,
    },
}

/// Permission to hand one request to the queue. Only one exists at a time per session.
#[derive(Debug)]
pub(crate) struct Turn {
    passing: Arc<PassThrough>,
    was_sent: bool,
    is_over: bool,
}

/// State of a session at the time when it looks for requests to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionStanding {
    /// Number of queued events that the session has not sent.
    pub(crate) behind: u64,
    /// Free room in the agent's window, or `None` if it is full.
    pub(crate) room: Option<WindowRoom>,
}

/// How much may be sent and unanswered at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowRoom {
    pub(crate) requests: usize,
    pub(crate) bytes: usize,
}

impl PassThrough {
    pub(super) fn new(max_requests: usize) -> Self {
        Self {
            max_requests: max_requests.clamp(1, MAX_REQUESTS),
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Adds a request if there is room. Returns its number and a receiver for its outcome.
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
        let request = PassingRequest {
            frame,
            was_sent: false,
            tell,
        };
        state.waiting.insert(number, request);
        drop(state);
        self.changed.notify_one();
        Ok((number, outcome))
    }

    /// Waits until the session has to call [`Self::next`] again. Only one session may wait.
    ///
    /// # Cancel safety
    /// Safe: a change that happens meanwhile is not lost.
    pub(crate) async fn wait_for_change(&self) {
        self.changed.notified().await;
    }

    /// Returns the requests to send now, in order: all waiting requests for which the agent has
    /// room. The others are turned away, unless they only wait for a few queued events to be sent.
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
        // Events in the queue, or on their way into it, must not be overtaken.
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

    /// Sends an answer to the request, unless the request already has an outcome.
    pub(crate) fn answer(&self, id: EventId, response: WebhookResponse) {
        let mut state = self.lock();
        let number = state.numbers.get(&id).copied();
        let request = number.and_then(|number| state.remove(number));
        drop(state);
        if let Some(request) = request {
            // The sender may have hung up and needs no answer then.
            let _ = request.tell.send(HeldOutcome::Answered(response));
        }
    }

    /// Turns away all requests from now on.
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

    /// Turns one request away, unless it was turned away or answered before.
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

    /// Removes a request whose sender has hung up.
    pub(super) fn forget(&self, number: u64) {
        let mut state = self.lock();
        let request = state.remove(number);
        drop(state);
        if request.is_some() {
            // Other requests may be waiting for this one.
            self.changed.notify_one();
        }
    }

    /// Lets the first request that was turned away go into the queue, unless another is on its way.
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
        let PassingRequest {
            frame,
            was_sent,
            tell,
        } = request;
        let turn = Turn::new(Arc::clone(self), was_sent);
        // If the sender has hung up, the send fails, and dropping `turn` ends the turn.
        drop(tell.send(HeldOutcome::Store { frame, turn }));
    }

    /// Ends the turn of a request that was handed to the queue.
    pub(super) fn turn_is_over(self: &Arc<Self>) {
        self.lock().has_turn = false;
        self.give_turn();
    }

    /// Notes that a request that was turned away unsent is in the queue, or failed to get there.
    pub(super) fn note_stored(&self) {
        let mut state = self.lock();
        state.unstored = state.unstored.saturating_sub(1);
        drop(state);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, PassingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of held requests and their bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.lock();
        (state.count(), state.bytes)
    }
}

impl PassingState {
    fn count(&self) -> usize {
        self.waiting.len() + self.sent.len() + self.turned_away.len()
    }

    fn turn_away_unsent(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.unstored += waiting.len();
        self.turned_away.extend(waiting);
    }

    /// Removes a request at any stage.
    fn remove(&mut self, number: u64) -> Option<PassingRequest> {
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

    fn remove_sent(&mut self, number: u64) -> Option<PassingRequest> {
        let request = self.sent.remove(&number)?;
        self.numbers.remove(&request.frame.id);
        self.sent_bytes -= request.bytes();
        Some(request)
    }
}

impl PassingRequest {
    fn bytes(&self) -> usize {
        bytes_of(&self.frame)
    }
}

impl Turn {
    fn new(passing: Arc<PassThrough>, was_sent: bool) -> Self {
        Self {
            passing,
            was_sent,
            is_over: false,
        }
    }

    /// Ends the turn after the event was handed over, so that the next request may follow.
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

/// Returns the approximate memory size of a request.
pub(super) fn bytes_of(frame: &HeldFrame) -> usize {
    size_of::<HeldFrame>() + frame.request.footprint()
}
