//! One attempt of one event: sent, and what came of it handed to the history.

use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{HeaderList, ResponseFrame, WebhookResponse};
use tokio::time::Instant;

use super::forward::{Answer, Dispatch, Failure};
use super::headers::{self, Marks, Origin};
use super::lanes::{LaneKey, Placed};
use super::losses::{Begun, Losses};
use super::{Delivery, scheme};
use crate::answers::QueuedAnswer;
use crate::history::{Attempt, Event, HistoryError, NewAttempt, Outcome};

/// An event that waits for its delivery.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) event: Event,
    /// What it takes in memory.
    pub(super) size: usize,
    /// Attempts it has on record, replays included.
    pub(super) attempts: u32,
    pub(super) losses: Losses,
}

impl Placed for Waiting {
    fn place(&self) -> i64 {
        self.event.position.0
    }
}

/// The end of an attempt.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) key: LaneKey,
    pub(super) begun: Begun,
    pub(super) verdict: Verdict,
}

/// What an attempt means for its lane.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is done and on record, for an event of this size; `answered` tells whether the local
    /// service said anything.
    Done { answered: bool, size: usize },
    /// Nothing takes connections: the same event again, once something does.
    Unreachable {
        waiting: Box<Waiting>,
        reason: String,
    },
    /// The connection was lost before any answer, which is not on record yet.
    Lost {
        waiting: Box<Waiting>,
        when: When,
        reason: String,
    },
}

/// When an attempt was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    started_at: Timestamp,
    duration: Duration,
}

impl Delivery {
    /// One attempt; on record where it is done.
    pub(super) async fn attempt(
        &self,
        key: LaneKey,
        waiting: Waiting,
        begun: Begun,
    ) -> Result<Ended, HistoryError> {
        let (started_at, clock) = (Timestamp::now(), Instant::now());
        let result = self.forwarder.send(self.dispatch(&waiting)).await;
        let when = When {
            started_at,
            duration: clock.elapsed(),
        };
        let verdict = match result {
            Err(Failure::Unreachable(reason)) => Verdict::Unreachable {
                waiting: Box::new(waiting),
                reason,
            },
            Err(Failure::Lost(reason)) => Verdict::Lost {
                waiting: Box::new(waiting),
                when,
                reason,
            },
            Err(Failure::Ended(error) | Failure::Garbled(error)) => {
                let outcome = Outcome::Failed { error };
                self.record(&waiting.event, when, outcome, false).await?;
                Verdict::Done {
                    answered: false,
                    size: waiting.size,
                }
            }
            Ok(answer) => {
                let outcome = self.answered(&waiting.event, answer);
                self.record(&waiting.event, when, outcome, false).await?;
                Verdict::Done {
                    answered: true,
                    size: waiting.size,
                }
            }
        };
        Ok(Ended {
            key,
            begun,
            verdict,
        })
    }

    /// Hands an attempt over to be stored; where it is to be made `again`, the event still waits.
    pub(super) async fn record(
        &self,
        event: &Event,
        when: When,
        outcome: Outcome,
        again: bool,
    ) -> Result<(), HistoryError> {
        let attempt = Attempt {
            event: event.id,
            // The history gives it.
            number: 0,
            replay: false,
            imported: false,
            url: self.target.with_path(&event.request.path),
            edited: None,
            started_at: when.started_at,
            duration: when.duration,
            outcome,
        };
        let attempt = NewAttempt {
            position: event.position,
            again,
            attempt,
        };
        self.writer.record_soon(attempt).await
    }

    fn dispatch<'a>(&'a self, waiting: &'a Waiting) -> Dispatch<'a> {
        let event = &waiting.event;
        Dispatch {
            target: &self.target,
            method: &event.request.method,
            path: &event.request.path,
            headers: &event.request.headers,
            body: &event.request.body,
            origin: Origin {
                peer: event.request.peer,
                scheme: scheme(&self.status.borrow()),
            },
            marks: Marks {
                event: event.id,
                attempt: waiting.attempts + 1,
                replay: false,
            },
        }
    }

    /// The outcome to be stored; the whole answer also goes to whoever waits for it, or the news that
    /// it is too large.
    fn answered(&self, event: &Event, mut answer: Answer) -> Outcome {
        if let (Some(responses), Some(seq)) = (&self.responses, event.seq) {
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
            let frame = ResponseFrame { seq, response };
            // Without room the link is down, and the relay has answered by itself already.
            let _ = responses.try_send(QueuedAnswer { frame, room });
        }
        answer.into_outcome(self.config.max_response_bytes)
    }
}

/// What the sender gets in place of an answer that does not go through the relay.
fn too_large(body_bytes: u64) -> WebhookResponse {
    let words =
        format!("the local service's answer of {body_bytes} bytes is too large to pass on\n");
    WebhookResponse {
        status: 502,
        headers: [("content-type", "text/plain; charset=utf-8")]
            .into_iter()
            .collect(),
        body: words.into(),
    }
}
