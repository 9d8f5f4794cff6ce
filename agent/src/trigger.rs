//! Triggers events: a new event that was not received is stored, and is sent to a local service
//! immediately, outside the lanes. It has no `seq`, so that all code that draws conclusions about
//! Podio can skip it.

use jiff::Timestamp;
use podtap_wire::{EventId, WebhookRequest};

use crate::history::{Attempt, DeliveryState, HistoryError, NewEvent};
use crate::replay::Replayer;
use crate::target::Target;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The request, for example from a [`Draft`](crate::draft::Draft). Its time of arrival is
    /// replaced by the time at which it is sent.
    pub request: WebhookRequest,
    /// The target, instead of the configured local service.
    pub target: Option<Target>,
}

/// The result of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerResult {
    /// The new event.
    pub event: EventId,
    /// Its first attempt.
    pub attempt: Attempt,
}

/// Why nothing was sent, or why the outcome could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// No local service is configured and none was given; nothing was stored.
    #[error("there is no local service to send it to")]
    NoTarget,
    /// The event is stored, and no route matches it.
    #[error("no route matches this event, and there is no other target: it is held")]
    NoRoute,
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl Replayer {
    /// Sends one new event; returns once the event and its attempt are on stable storage.
    pub(crate) async fn trigger(&self, trigger: Trigger) -> Result<TriggerResult, TriggerError> {
        let Trigger {
            mut request,
            target,
        } = trigger;
        if target.is_none() && self.target().is_none() {
            return Err(TriggerError::NoTarget);
        }
        let _permit = self.permit().await?;
        let now = Timestamp::now();
        request.received_at = now;
        let id = EventId::from_parts(now, fastrand::u128(..));
        let new = NewEvent {
            id,
            seq: None,
            request,
            // Lanes skip it: it is sent here, once, and after a crash before that it is not sent.
            state: DeliveryState::Held,
        };
        self.writer.append(vec![new]).await?;
        // Read back for its position. Retention cannot have
        // removed it yet, but another program may have.
        let event = self.history.event(id).await?.ok_or(HistoryError::Gone)?;
        // As for events of Podio, the event is held if no route matches.
        let targets = target.map_or_else(|| self.routes_of(&event), |target| vec![target]);
        let mut worst: Option<Attempt> = None;
        for (number, target) in (1..).zip(&targets) {
            let sent = self.attempt(target, &event, number, false, None).await?;
            if worst
                .as_ref()
                .is_none_or(|worst| worst.outcome.is_better_than(&sent.outcome))
            {
                worst = Some(sent);
            }
        }
        let attempt = worst.ok_or(TriggerError::NoRoute)?;
        Ok(TriggerResult { event: id, attempt })
    }
}
