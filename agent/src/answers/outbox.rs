//! Queues answers for the relay. An answer to an event that the relay has not stored also waits for
//! the event's commit: the sender may rely on the answer, and no other copy of the event exists.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::{EventId, ResponseTo};
use tokio::sync::Notify;

use super::QueuedAnswer;

/// Maximum number of waiting answers. Further ones are dropped: the link is down or nearly so, and
/// the relay answers itself.
const MAX_ANSWERS: usize = 1024;

/// The queue from delivery to the link. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox(Arc<SharedOutbox>);

#[derive(Debug, Default)]
struct SharedOutbox {
    state: Mutex<OutboxState>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct OutboxState {
    /// Events of this session that are not in the history yet, with answers that came earlier.
    uncommitted: HashMap<EventId, Option<QueuedAnswer>>,
    ready: VecDeque<QueuedAnswer>,
}

impl Outbox {
    /// Begins a session. Answers for an earlier session
    /// are dropped: the relay has long answered them.
    pub(crate) fn begin(&self) {
        *self.lock() = OutboxState::default();
    }

    /// Holds the answer to this event until the event is committed.
    pub(crate) fn hold_until_committed(&self, event: EventId) {
        self.lock().uncommitted.insert(event, None);
    }

    /// Releases the answers to these events, which are committed.
    pub(crate) fn release_committed(&self, events: &[EventId]) {
        let mut state = self.lock();
        for event in events {
            if let Some(answer) = state.uncommitted.remove(event).flatten() {
                state.ready.push_back(answer);
            }
        }
        drop(state);
        self.0.ready.notify_one();
    }

    /// Adds an answer.
    pub(crate) fn push(&self, answer: QueuedAnswer) {
        let mut state = self.lock();
        if state.ready.len() >= MAX_ANSWERS {
            return;
        }
        if let ResponseTo::Held(event) = answer.frame.to
            && let Some(early) = state.uncommitted.get_mut(&event)
        {
            *early = Some(answer);
            return;
        }
        state.ready.push_back(answer);
        drop(state);
        self.0.ready.notify_one();
    }

    /// Returns the next answer to send.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&self) -> QueuedAnswer {
        loop {
            if let Some(answer) = self.try_next() {
                return answer;
            }
            self.0.ready.notified().await;
        }
    }

    /// Returns the next answer if it is already queued.
    pub(crate) fn try_next(&self) -> Option<QueuedAnswer> {
        self.lock().ready.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use podtap_wire::{HeaderList, ResponseFrame, Seq, WebhookResponse};

    use super::*;

    fn answer(to: ResponseTo) -> QueuedAnswer {
        let response = WebhookResponse {
            status: 200,
            headers: HeaderList::default(),
            body: "ok".into(),
        };
        ResponseFrame { to, response }.into()
    }

    fn id(number: u8) -> EventId {
        EventId::from_bytes([number; 16])
    }

    fn next(outbox: &Outbox) -> Option<ResponseTo> {
        outbox.try_next().map(|answer| answer.frame.to)
    }

    #[test]
    fn an_answer_to_what_is_not_stored_waits_for_the_commit() {
        let outbox = Outbox::default();
        let [first, second] = [1, 2].map(|number| ResponseTo::Held(id(number)));
        outbox.hold_until_committed(id(1));
        outbox.hold_until_committed(id(2));
        outbox.push(answer(first));
        outbox.push(answer(ResponseTo::Stored(Seq(7))));
        assert_eq!(next(&outbox), Some(ResponseTo::Stored(Seq(7))));
        assert_eq!(next(&outbox), None);

        outbox.release_committed(&[id(1), id(2)]);

        assert_eq!(next(&outbox), Some(first));
        assert_eq!(next(&outbox), None);
        outbox.push(answer(second));
        assert_eq!(next(&outbox), Some(second));
    }

    #[test]
    fn a_new_session_hears_nothing_of_the_one_before() {
        let outbox = Outbox::default();
        outbox.hold_until_committed(id(1));
        outbox.push(answer(ResponseTo::Held(id(1))));
        outbox.push(answer(ResponseTo::Held(id(2))));

        outbox.begin();
        outbox.release_committed(&[id(1)]);

        assert_eq!(next(&outbox), None);
    }

    #[test]
    fn so_many_answers_wait_and_no_more() {
        let outbox = Outbox::default();
        for number in 0..=MAX_ANSWERS {
            outbox.push(answer(ResponseTo::Stored(Seq(number as u64))));
        }
        let waiting = std::iter::from_fn(|| next(&outbox)).count();
        assert_eq!(waiting, MAX_ANSWERS);
    }
}
