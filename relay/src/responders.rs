//! Keeps requests waiting under `respond: local` until the agent sends the local service's
//! answer, to this relay or to another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use podtap_wire::{EventId, WebhookResponse};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::answers::AnswerExchange;
use crate::queue::QueueError;

/// Maximum number of answers on their way to other relays. Further answers are lost, and
/// their senders get `stored`.
const MAX_POSTED: usize = 64;

/// Requests that wait for an answer.
#[derive(Debug)]
pub(crate) struct Responders {
    waiting: Mutex<HashMap<EventId, oneshot::Sender<WebhookResponse>>>,
    answers: Arc<dyn AnswerExchange>,
    posted: mpsc::Sender<(EventId, WebhookResponse)>,
    to_post: tokio::sync::Mutex<mpsc::Receiver<(EventId, WebhookResponse)>>,
}

/// A waiting request. It stops waiting when this is dropped.
#[derive(Debug)]
pub(crate) struct WaitingRequest<'a> {
    id: EventId,
    responders: &'a Responders,
    is_expected: bool,
    pub(crate) answer: oneshot::Receiver<WebhookResponse>,
}

impl Responders {
    pub(crate) fn new(answers: Arc<dyn AnswerExchange>) -> Self {
        let (posted, to_post) = mpsc::channel(MAX_POSTED);
        Self {
            waiting: Mutex::default(),
            answers,
            posted,
            to_post: tokio::sync::Mutex::new(to_post),
        }
    }

    /// Starts to wait. Called before the event is stored, because the answer might arrive first
    /// otherwise.
    pub(crate) fn wait(&self, id: EventId) -> WaitingRequest<'_> {
        let (sender, answer) = oneshot::channel();
        self.lock().insert(id, sender);
        WaitingRequest {
            id,
            responders: self,
            is_expected: false,
            answer,
        }
    }

    /// Returns whether other relays accept webhooks for the agents of this one.
    pub(crate) fn has_others(&self) -> bool {
        self.answers.is_shared()
    }

    /// Returns whether a request may wait for the answer to this event.
    pub(crate) fn is_waiting(&self, id: EventId) -> bool {
        self.answers.is_shared() || self.lock().contains_key(&id)
    }

    /// Passes an answer on, if a request still waits for it.
    pub(crate) fn answer(&self, id: EventId, response: WebhookResponse) {
        if let Some(waiting) = self.lock().remove(&id) {
            let _ = waiting.send(response);
        } else if self.answers.is_shared() && self.posted.try_send((id, response)).is_err() {
            tracing::warn!("an answer is lost: too many are on their way to other relays");
        }
    }

    /// Carries answers between relays until `token` is cancelled.
    pub(crate) async fn run(&self, token: CancellationToken) {
        let post = async {
            let mut to_post = self.to_post.lock().await;
            while let Some((id, response)) = to_post.recv().await {
                if let Err(error) = self.answers.post(id, response).await {
                    tracing::debug!(%error, "an answer cannot be passed on");
                }
            }
        };
        let take_in = async {
            loop {
                for (id, response) in self.answers.take_arrived().await {
                    if let Some(waiting) = self.lock().remove(&id) {
                        let _ = waiting.send(response);
                    }
                }
            }
        };
        // Both run at the same time and neither is cancelled, so neither loses an answer that it
        // holds.
        let carry = async { tokio::join!(post, take_in) };
        token.run_until_cancelled(carry).await;
    }

    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<EventId, oneshot::Sender<WebhookResponse>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingRequest<'_> {
    /// Announces to the other relays that this one waits, because one of them has the agent.
    pub(crate) async fn expect(&mut self) -> Result<(), QueueError> {
        self.is_expected = true;
        self.responders.answers.expect(self.id).await
    }
}

impl Drop for WaitingRequest<'_> {
    fn drop(&mut self) {
        self.responders.lock().remove(&self.id);
        if self.is_expected {
            self.responders.answers.forget(self.id);
        }
    }
}
