//! `respond: local`: a request held until the agent sends the local service's answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use podtap_wire::{EventId, WebhookResponse};
use tokio::sync::oneshot;

/// The requests that wait for an answer.
#[derive(Debug, Default)]
pub(crate) struct Responders {
    waiting: Mutex<HashMap<EventId, oneshot::Sender<WebhookResponse>>>,
}

/// One waiting request; it stops waiting when this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    id: EventId,
    responders: &'a Responders,
    pub(crate) answer: oneshot::Receiver<WebhookResponse>,
}

impl Responders {
    /// Begins to wait: before the event is stored, or its answer might be the faster one.
    pub(crate) fn wait(&self, id: EventId) -> Waiting<'_> {
        let (sender, answer) = oneshot::channel();
        self.lock().insert(id, sender);
        Waiting {
            id,
            responders: self,
            answer,
        }
    }

    /// Whether somebody waits for the answer to this event.
    pub(crate) fn is_waiting(&self, id: EventId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Passes an answer on, if somebody still waits for it.
    pub(crate) fn answer(&self, id: EventId, response: WebhookResponse) {
        if let Some(waiting) = self.lock().remove(&id) {
            let _ = waiting.send(response);
        }
    }

    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<EventId, oneshot::Sender<WebhookResponse>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.responders.lock().remove(&self.id);
    }
}
