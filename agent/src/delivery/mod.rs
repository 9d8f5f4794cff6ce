//! Delivery: events out of the history, in their order, to the local service; attempts back into
//! the history. Live events and those left from earlier come the same way.
//!
//! `lanes` decides what may start, `forward` does one attempt, `probe` waits for a local service
//! that is away. A crash loses no more than the knowledge of the last attempts: their events still
//! wait in the history and are offered again (invariant 1: at least once).

mod ahead;
pub(crate) mod forward;
pub(crate) mod gate;
pub(crate) mod headers;
mod lanes;
mod letters;
mod probe;

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use podtap_wire::{HeaderList, ResponseFrame, WebhookResponse};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::answers::QueuedAnswer;
use crate::config::{DeliveryConfig, Target};
use crate::history::{
    Attempt, Event, EventKey, HistoryError, Hold, NewAttempt, Note, Outcome, Pending, Position,
    Writer,
};
use crate::status::{ServiceState, Status};
use ahead::ReadAhead;
use forward::{Answer, Dispatch, Failure, Forwarder};
use gate::Gate;
use headers::{Marks, Origin};
use lanes::{LaneKey, Lanes};

/// Events of one read.
const READ_AT_ONCE: usize = 256;

/// Bytes after which one read ends.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// Attempts of one event whose connection is lost each time; then it counts as delivered.
const MAX_LOST: u32 = 3;

/// Time for attempts under way once the agent shall end; what takes longer is offered again.
const DRAIN_LIMIT: Duration = Duration::from_secs(8);

/// Delivers what waits in the history. Built once, run once.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) pending: Pending,
    pub(crate) writer: Writer,
    pub(crate) forwarder: Forwarder,
    pub(crate) target: Target,
    pub(crate) config: DeliveryConfig,
    pub(crate) gate: Gate,
    pub(crate) status: watch::Sender<Status>,
    /// Where answers go that the sender waits for, under `Respond::Local`.
    pub(crate) responses: Option<mpsc::Sender<QueuedAnswer>>,
}

/// An event that waits for its delivery.
#[derive(Debug)]
struct Waiting {
    event: Event,
    /// What it takes in memory.
    size: usize,
    /// Attempts it has had, replays included.
    attempts: u32,
    /// How many of them lost their connection, since the agent started.
    lost: u32,
}

/// What an attempt means for its lane.
#[derive(Debug)]
enum Verdict {
    /// It ended, for an event of this size; `answered` tells whether the local service said
    /// anything.
    Ended { answered: bool, size: usize },
    /// The local service is away: the same event again, once it is back.
    Away {
        waiting: Box<Waiting>,
        reason: String,
    },
}

impl Delivery {
    /// Delivers until the token is cancelled; then lets attempts under way end, for a while.
    pub(crate) async fn run(self, token: CancellationToken) -> Result<(), HistoryError> {
        let mut lanes: Lanes<Waiting> = Lanes::new(self.config.concurrency);
        let mut ahead = ReadAhead::default();
        let mut under_way = FuturesUnordered::new();
        let mut tally = self.writer.tally();
        let mut storage = self.writer.storage();
        let (mut read_through, mut newest) = (Position::default(), Position::default());
        // Whether the history may hold more than was read or is being read.
        let mut more = true;
        let mut reading = pin!(Fuse::terminated());
        let mut probing = pin!(Fuse::terminated());
        while !token.is_cancelled() {
            let held = *tally.borrow_and_update();
            more |= std::mem::replace(&mut newest, held.newest) < held.newest;
            if more && reading.is_terminated() && ahead.has_room() {
                more = false;
                let next = self.pending.after(read_through, READ_AT_ONCE, READ_BYTES);
                reading.set(next.fuse());
            }
            // What cannot be recorded would be delivered again.
            let works = storage.borrow_and_update().is_none();
            while works
                && probing.is_terminated()
                && let Some((key, waiting)) = lanes.start(Instant::now())
            {
                match self.gate.hold(&waiting.event) {
                    Some(why) => {
                        self.writer
                            .note_soon(vec![hold_note(&waiting.event, why)])
                            .await?;
                        ahead.remove(waiting.size);
                        lanes.finished(key);
                    }
                    None => under_way.push(self.attempt(key, waiting)),
                }
            }
            self.publish(under_way.len(), held.pending, lanes.count());
            let next_place = lanes.next_place().filter(|_| probing.is_terminated());
            // Every arm is cancel-safe: the futures live outside and are only polled here.
            tokio::select! {
                () = token.cancelled() => {}
                Some(ended) = under_way.next() => {
                    let (key, verdict) = ended?;
                    if let Verdict::Ended { size, .. } = &verdict {
                        ahead.remove(*size);
                    }
                    if let Some(reason) = self.judge(&mut lanes, key, verdict) && probing.is_terminated() {
                        self.service_down(reason);
                        let every = self.config.probe_every;
                        probing.set(probe::until_reachable(&self.forwarder, &self.target, every).fuse());
                    }
                }
                page = &mut reading => {
                    let page = page?;
                    more |= !page.events.is_empty() || !page.unreadable.is_empty();
                    read_through = read_through.max(self.set_aside(page.unreadable).await?);
                    for (mut event, attempts) in page.events {
                        read_through = read_through.max(event.position);
                        let (key, size) = (LaneKey::of(&event), ahead::lighten(&mut event));
                        ahead.add(size);
                        lanes.push(key, Waiting { event, size, attempts, lost: 0 });
                    }
                }
                changed = tally.changed() => changed.map_err(|_| HistoryError::Closed)?,
                Ok(()) = storage.changed() => {}
                // Only an answer tells that it is back: what takes connections may still refuse.
                () = &mut probing => {}
                () = sleep_until(next_place.unwrap_or_else(Instant::now)), if next_place.is_some() => {}
            }
        }
        let drained = tokio::time::timeout(DRAIN_LIMIT, async {
            while let Some(ended) = under_way.next().await {
                ended?;
            }
            Ok(())
        });
        drained.await.unwrap_or_else(|_| {
            tracing::info!(
                left = under_way.len(),
                "deliveries were cut off; they will be offered again"
            );
            Ok(())
        })
    }

    /// Takes events that cannot be read out of the way of the others; the place of the last one.
    async fn set_aside(
        &self,
        unreadable: Vec<(Position, String)>,
    ) -> Result<Position, HistoryError> {
        let mut last = Position::default();
        for (position, reason) in unreadable {
            tracing::error!(
                position = position.0,
                reason,
                "an event cannot be read and is set aside"
            );
            last = last.max(position);
            self.writer.set_aside(position, reason).await?;
        }
        Ok(last)
    }

    /// Frees the lane, or returns the event to it; the reason if the local service is away.
    fn judge(&self, lanes: &mut Lanes<Waiting>, key: LaneKey, verdict: Verdict) -> Option<String> {
        match verdict {
            Verdict::Ended { answered, .. } => {
                lanes.finished(key);
                if answered {
                    self.service_up();
                }
                None
            }
            Verdict::Away { waiting, reason } => {
                lanes.returned(key, *waiting);
                self.status.send_modify(|status| status.retries += 1);
                Some(reason)
            }
        }
    }

    /// One attempt, and its record handed to the history.
    async fn attempt(
        &self,
        key: LaneKey,
        mut waiting: Waiting,
    ) -> Result<(LaneKey, Verdict), HistoryError> {
        let (started_at, clock) = (Timestamp::now(), Instant::now());
        let result = self.forwarder.send(self.dispatch(&waiting)).await;
        let duration = clock.elapsed();
        let (outcome, verdict) = match result {
            Err(Failure::Unreachable(reason)) => {
                let waiting = Box::new(waiting);
                return Ok((key, Verdict::Away { waiting, reason }));
            }
            Err(Failure::Lost(reason)) if waiting.lost + 1 < MAX_LOST => (
                Outcome::Failed {
                    error: reason.clone(),
                },
                Some(reason),
            ),
            Err(failure) => (
                Outcome::Failed {
                    error: failure.into_reason(),
                },
                None,
            ),
            Ok(answer) => (self.answered(&waiting.event, answer), None),
        };
        let answered = matches!(outcome, Outcome::Answered { .. });
        let event = &waiting.event;
        self.writer
            .record_soon(NewAttempt {
                position: event.position,
                again: verdict.is_some(),
                attempt: Attempt {
                    event: event.id,
                    number: 0,
                    replay: false,
                    imported: false,
                    url: self.target.with_path(&event.request.path),
                    edited: None,
                    started_at,
                    duration,
                    outcome,
                },
            })
            .await?;
        Ok(if let Some(reason) = verdict {
            waiting.lost += 1;
            waiting.attempts += 1;
            let waiting = Box::new(waiting);
            (key, Verdict::Away { waiting, reason })
        } else {
            let size = waiting.size;
            (key, Verdict::Ended { answered, size })
        })
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

    fn publish(&self, in_flight: usize, pending: u64, lanes: usize) {
        let now = (in_flight, pending, lanes);
        self.status.send_if_modified(|status| {
            let known = (status.in_flight, status.pending, status.lanes);
            (status.in_flight, status.pending, status.lanes) = now;
            known != now
        });
    }

    fn service_up(&self) {
        self.status.send_if_modified(|status| {
            let was_up = matches!(status.service, ServiceState::Up { .. });
            if !was_up {
                status.service = ServiceState::Up {
                    since: Timestamp::now(),
                };
            }
            !was_up
        });
    }

    /// Told once, until the reason is another one.
    fn service_down(&self, why: String) {
        self.status
            .send_if_modified(|status| match &mut status.service {
                ServiceState::Down { reason, .. } if *reason == why => false,
                ServiceState::Down { reason, .. } => {
                    *reason = why;
                    true
                }
                service => {
                    tracing::info!(target = %self.target, reason = %why, "the local service is away");
                    *service = ServiceState::Down {
                        since: Timestamp::now(),
                        reason: why,
                    };
                    true
                }
            });
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

fn hold_note(event: &Event, hold: Hold) -> Note {
    let event = EventKey {
        position: event.position,
        id: event.id,
    };
    Note::Hold { event, hold }
}

/// How senders reach the tunnel, as far as is known: a relay of any use has a certificate.
pub(crate) fn scheme(status: &Status) -> &'static str {
    match &status.public_url {
        Some(url) if url.starts_with("http:") => "http",
        _ => "https",
    }
}
