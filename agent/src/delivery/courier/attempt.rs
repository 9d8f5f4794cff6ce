//! Makes one attempt for one event and evaluates its outcome.

use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{HeaderList, ResponseFrame, ResponseTo, WebhookResponse};
use tokio::time::Instant;

use super::Courier;
use super::claim::TargetShare;
use super::lanes::{LaneEntry, LaneKey};
use super::losses::{Losses, LossesAtStart};
use crate::amount;
use crate::answers::QueuedAnswer;
use crate::delivery::exchange::{DeliveryFailure, Dispatch, ServiceAnswer};
use crate::delivery::headers::{self, AttemptMarks, SenderOrigin};
use crate::delivery::scheme;
use crate::history::{Attempt, Event, Outcome, PASSED_THROUGH};

/// An event that waits for its delivery.
#[derive(Debug)]
pub(super) struct PendingEvent {
    /// Boxed, so that a lane and an attempt stay small.
    pub(super) event: Box<Event>,
    /// Its size in memory, in bytes.
    pub(super) size: usize,
    /// Number of its stored attempts, replays included.
    pub(super) attempts: u32,
    pub(super) losses: Losses,
    /// How the event is shared with other targets.
    pub(super) share: TargetShare,
    /// Its position in the order of arrival at this courier, which an event without a position in
    /// the history has as well.
    pub(super) turn: i64,
}

impl LaneEntry for PendingEvent {
    fn place(&self) -> i64 {
        self.turn
    }
}

/// The end of an attempt.
#[derive(Debug)]
pub(super) struct AttemptEnd {
    pub(super) key: LaneKey,
    pub(super) begun: LossesAtStart,
    pub(super) verdict: LaneVerdict,
}

/// The consequence of an attempt for its lane.
#[derive(Debug)]
pub(super) enum LaneVerdict {
    /// The event is done, with the attempt to store;
    /// `answered` says whether the local service answered.
    Done {
        waiting: Box<PendingEvent>,
        attempt: Box<Attempt>,
        answered: bool,
    },
    /// Nothing accepts connections: the event is sent again once something does.
    Unreachable {
        waiting: Box<PendingEvent>,
        reason: String,
    },
    /// The connection was lost before any answer; the attempt is not stored yet.
    Lost {
        waiting: Box<PendingEvent>,
        when: AttemptTime,
        reason: String,
    },
}

/// Start and duration of an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttemptTime {
    started_at: Timestamp,
    duration: Duration,
}

impl Courier {
    pub(super) async fn attempt(
        &self,
        key: LaneKey,
        waiting: PendingEvent,
        begun: LossesAtStart,
    ) -> AttemptEnd {
        let (started_at, clock) = (Timestamp::now(), Instant::now());
        let result = self.forwarder.send(self.dispatch(&waiting)).await;
        let when = AttemptTime {
            started_at,
            duration: clock.elapsed(),
        };
        let verdict = match result {
            Err(DeliveryFailure::Unreachable(reason)) => LaneVerdict::Unreachable {
                waiting: Box::new(waiting),
                reason,
            },
            Err(DeliveryFailure::Lost(reason)) => LaneVerdict::Lost {
                waiting: Box::new(waiting),
                when,
                reason,
            },
            Err(DeliveryFailure::Ended(error) | DeliveryFailure::Garbled(error)) => {
                let outcome = Outcome::Failed { error };
                self.finish(waiting, when, outcome)
            }
            Ok(answer) => {
                let outcome = self.outcome_of_answer(&waiting, answer);
                self.finish(waiting, when, outcome)
            }
        };
        AttemptEnd {
            key,
            begun,
            verdict,
        }
    }

    fn finish(&self, waiting: PendingEvent, when: AttemptTime, outcome: Outcome) -> LaneVerdict {
        LaneVerdict::Done {
            answered: matches!(outcome, Outcome::Answered { .. }),
            attempt: Box::new(self.on_record(&waiting.event, when, outcome)),
            waiting: Box::new(waiting),
        }
    }

    /// Returns an attempt as it is stored.
    pub(super) fn on_record(&self, event: &Event, when: AttemptTime, outcome: Outcome) -> Attempt {
        Attempt {
            event: event.id,
            // The history assigns the number.
            number: 0,
            replay: false,
            imported: false,
            url: self.target.with_path(&event.request.path),
            target: Some(self.target.to_string()),
            edited: None,
            started_at: when.started_at,
            duration: when.duration,
            outcome,
        }
    }

    fn dispatch<'a>(&'a self, waiting: &'a PendingEvent) -> Dispatch<'a> {
        let event = &waiting.event;
        Dispatch {
            target: &self.target,
            method: &event.request.method,
            path: &event.request.path,
            headers: &event.request.headers,
            body: &event.request.body,
            origin: SenderOrigin {
                peer: event.request.peer,
                scheme: scheme(&self.status.borrow()),
            },
            marks: AttemptMarks {
                event: event.id,
                attempt: waiting.attempts + 1,
                replay: false,
            },
        }
    }

    /// Returns the outcome to store. Sends the whole answer to the waiting sender, or an error if
    /// the answer is too large.
    fn outcome_of_answer(&self, waiting: &PendingEvent, mut answer: ServiceAnswer) -> Outcome {
        if let (Some(answers), Some(to)) = (&self.answers, to(&waiting.event))
            && waiting.share.is_first
        {
            let room = answer.room.take();
            let response = if room.is_some() {
                WebhookResponse {
                    status: answer.status,
                    headers: HeaderList::from(&headers::end_to_end(&answer.headers)),
                    body: answer.body.clone(),
                }
            } else {
                too_large(answer.body_bytes)
            };
            let frame = ResponseFrame { to, response };
            answers.push(QueuedAnswer { frame, room });
        }
        answer.into_outcome(self.config.max_response_bytes)
    }

    /// Answers the sender of an event that is not
    /// delivered, if the sender waits: nothing else does.
    pub(super) fn answer_for_none(&self, event: &Event) {
        if let (Some(answers), Some(to)) = (&self.answers, to(event)) {
            let response = WebhookResponse {
                status: 200,
                headers: plain_text(),
                body: "received\n".into(),
            };
            answers.push(ResponseFrame { to, response }.into());
        }
    }
}

/// Returns the event in the form in which an answer
/// names it; `None` if no relay waits for an answer.
fn to(event: &Event) -> Option<ResponseTo> {
    Some(match event.seq? {
        PASSED_THROUGH => ResponseTo::Held(event.id),
        seq => ResponseTo::Stored(seq),
    })
}

fn plain_text() -> HeaderList {
    [("content-type", "text/plain; charset=utf-8")]
        .into_iter()
        .collect()
}

/// Returns what the sender gets instead of an answer that is too large for the relay.
fn too_large(body_bytes: u64) -> WebhookResponse {
    let size = amount::size(body_bytes);
    let words = format!("the local service's answer of {size} is too large to pass on\n");
    WebhookResponse {
        status: 502,
        headers: plain_text(),
        body: words.into(),
    }
}
