//! Replays events: on a person's request, an event or an edited copy goes to a local service once
//! more. A replay is an attempt of the same event and is sent immediately, outside the lanes.

use std::sync::Arc;

use jiff::Timestamp;
use podtap_wire::EventId;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use crate::delivery::exchange::Dispatch;
use crate::delivery::forward::Forwarder;
use crate::delivery::headers::{AttemptMarks, SenderOrigin};
use crate::delivery::scheme;
use crate::history::unknown_event;
use crate::history::{
    Attempt, EditedRequest, Event, History, HistoryError, NewAttempt, Outcome, Writer,
};
use crate::router::{KnownPlaces, Router};
use crate::status::Status;
use crate::target::Target;

/// Maximum number of running replays and triggered events; further ones wait.
pub(crate) const CONCURRENCY: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    pub event: EventId,
    /// The target, instead of those of the event's routes.
    pub target: Option<Target>,
    /// The request to send instead of the unchanged event.
    pub edited: Option<EditedRequest>,
}

/// The error if an event that was never delivered is to be replayed without a target.
pub const NO_TARGET_YET: &str = "this event was never delivered from here, so it has no target";

/// Why nothing was sent, or why the outcome could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The history has no such event.
    #[error("{}", unknown_event(*.0))]
    UnknownEvent(EventId),
    /// No local service is configured and none was given.
    #[error("there is no local service to replay to; add --forward-to")]
    NoTarget,
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Returns the first target of an event with this path, according to the attempts that were made
/// here. Imported attempts name other people's services and do not count.
pub fn first_target(attempts: &[Attempt], path: &str) -> Option<Target> {
    let mut made_here = attempts.iter().filter(|attempt| !attempt.imported);
    made_here.find_map(|attempt| {
        let edited = attempt.edited.as_ref();
        let path = edited.map_or(path, |edited| &edited.path);
        Target::of_attempt(&attempt.url, path)
    })
}

/// Replays events, and sends triggered ones. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Replayer {
    pub(crate) history: History,
    pub(crate) writer: Writer,
    pub(crate) forwarder: Forwarder,
    pub(crate) max_response_bytes: usize,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) places: KnownPlaces,
    pub(crate) permits: Arc<Semaphore>,
}

impl Replayer {
    /// Makes one replay; returns once the attempt is on stable storage.
    pub(crate) async fn replay(&self, replay: Replay) -> Result<Attempt, ReplayError> {
        self.send(replay, true).await
    }

    /// Makes the first delivery of an event that was only stored.
    pub(crate) async fn deliver(
        &self,
        event: EventId,
        target: Option<Target>,
    ) -> Result<Attempt, ReplayError> {
        let edited = None;
        let first = Replay {
            event,
            target,
            edited,
        };
        self.send(first, false).await
    }

    async fn send(&self, replay: Replay, is_replay: bool) -> Result<Attempt, ReplayError> {
        let found = self.history.event_and_attempts(replay.event).await?;
        let (event, attempts) = found.ok_or(ReplayError::UnknownEvent(replay.event))?;
        let targets = match replay.target {
            Some(target) => vec![target],
            None => self.routed_targets(&event),
        };
        let _permit = self.permit().await?;
        let mut worst: Option<Attempt> = None;
        for (number, target) in (attempts + 1..).zip(&targets) {
            let edited = replay.edited.clone();
            let sent = self
                .attempt(target, &event, number, is_replay, edited)
                .await?;
            if worst
                .as_ref()
                .is_none_or(|worst| worst.outcome.is_better_than(&sent.outcome))
            {
                worst = Some(sent);
            }
        }
        worst.ok_or(ReplayError::NoTarget)
    }

    /// Returns the current targets of an event, else its first target.
    pub(crate) async fn targets_of(&self, event: &Event) -> Result<Vec<Target>, HistoryError> {
        let routed = self.routed_targets(event);
        if !routed.is_empty() {
            return Ok(routed);
        }
        let attempts = self.history.attempts(event.id).await?;
        let first = first_target(&attempts, &event.request.path);
        Ok(first.into_iter().collect())
    }

    /// Returns the targets of an event according to the routes, or the default target if no route
    /// matches: a person requested the replay.
    pub(crate) fn routed_targets(&self, event: &Event) -> Vec<Target> {
        let routed = self.routes_of(event);
        if routed.is_empty() {
            return self.target().into_iter().collect();
        }
        routed
    }

    /// Returns the targets of an event according to the routes only.
    pub(crate) fn routes_of(&self, event: &Event) -> Vec<Target> {
        let routes = Arc::clone(&self.status.borrow().routes);
        let places = self.places.clone();
        let router = Router { routes, places };
        router.targets_of(event).into_iter().cloned().collect()
    }

    /// Returns the default target.
    pub(crate) fn target(&self) -> Option<Target> {
        self.status.borrow().target.clone()
    }

    /// Waits until one more request may be sent outside the lanes.
    pub(crate) async fn permit(&self) -> Result<SemaphorePermit<'_>, HistoryError> {
        let permit = self.permits.acquire().await;
        permit.map_err(|_| HistoryError::Closed)
    }

    /// Sends an event, or an edited copy of it, as attempt `number`, and stores the outcome.
    pub(crate) async fn attempt(
        &self,
        target: &Target,
        event: &Event,
        number: u32,
        replay: bool,
        edited: Option<EditedRequest>,
    ) -> Result<Attempt, HistoryError> {
        let marks = AttemptMarks {
            event: event.id,
            attempt: number,
            replay,
        };
        let (started_at, clock) = (Timestamp::now(), Instant::now());
        let dispatch = self.dispatch(target, event, marks, edited.as_ref());
        let url = target.with_path(dispatch.path);
        let outcome = match self.forwarder.send(dispatch).await {
            Ok(answer) => answer.into_outcome(self.max_response_bytes),
            Err(failure) => Outcome::Failed {
                error: failure.into_reason(),
            },
        };
        let attempt = NewAttempt {
            position: event.position,
            again: false,
            others: Vec::new(),
            attempt: Attempt {
                event: event.id,
                number,
                replay,
                imported: false,
                url,
                target: Some(target.to_string()),
                edited,
                started_at,
                duration: clock.elapsed(),
                outcome,
            },
        };
        self.writer.record(attempt).await
    }

    fn dispatch<'a>(
        &self,
        target: &'a Target,
        event: &'a Event,
        marks: AttemptMarks,
        edited: Option<&'a EditedRequest>,
    ) -> Dispatch<'a> {
        let request = &event.request;
        let (method, path, headers, body) = match edited {
            Some(edited) => (&edited.method, &edited.path, &edited.headers, &edited.body),
            None => (
                &request.method,
                &request.path,
                &request.headers,
                &request.body,
            ),
        };
        let origin = SenderOrigin {
            peer: request.peer,
            scheme: scheme(&self.status.borrow()),
        };
        Dispatch {
            target,
            method,
            path,
            headers,
            body,
            origin,
            marks,
        }
    }
}
