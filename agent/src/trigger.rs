//! Trigger: an event that nobody sent enters the history, and goes to a local service at once,
//! beside the lanes. It has no `seq`, which is how everything that draws conclusions from what
//! Podio does tells it from what Podio sent.

use jiff::Timestamp;
use podtap_wire::{EventId, WebhookRequest};

use crate::history::{Attempt, DeliveryState, HistoryError, NewEvent};
use crate::replay::Replayer;
use crate::target::Target;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The request, such as a [`Draft`](crate::draft::Draft) makes one. It counts as received at
    /// the moment at which it is sent, whatever it says.
    pub request: WebhookRequest,
    /// Where it goes instead of the configured local service.
    pub target: Option<Target>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggered {
    /// The new event.
    pub event: EventId,
    /// Its first attempt.
    pub attempt: Attempt,
}

/// Why nothing was sent, or why what came of it could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// No local service is configured and none was named; nothing was stored.
    #[error("there is no local service to send it to")]
    NoTarget,
    /// The event is in the history, and nothing takes it.
    #[error("no route matches this event, and there is no other target: it is held")]
    NoRoute,
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl Replayer {
    /// Sends one new event; it and its attempt are on stable storage when this returns.
    pub(crate) async fn trigger(&self, trigger: Trigger) -> Result<Triggered, TriggerError> {
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
            // No lane takes it up: it is sent here, once, and a crash before that sends nothing.
            state: DeliveryState::Held,
        };
        self.writer.append(vec![new]).await?;
        // Read back for its place; retention cannot have it gone yet, another program might.
        let event = self.history.event(id).await?.ok_or(HistoryError::Gone)?;
        // As one of Podio's would go: what no route takes is held.
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
        Ok(Triggered { event: id, attempt })
    }
}
