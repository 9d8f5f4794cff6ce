//! Delivery: events out of the history, in their order, to the local service; attempts back into
//! the history. Live events and those left from earlier come the same way.
//!
//! `lanes` decides what may start, `attempt` and `forward` do one attempt, `losses` judges one whose
//! connection was lost, `probe` waits for a local service that is away. A crash loses no more than the knowledge of the last attempts: their events still
//! wait in the history and are offered again (invariant 1: at least once).

mod ahead;
mod attempt;
pub(crate) mod forward;
pub(crate) mod gate;
pub(crate) mod headers;
mod lanes;
mod letters;
mod losses;
mod probe;
mod shown;

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::answers::QueuedAnswer;
use crate::config::{DeliveryConfig, Target};
use crate::history::{
    Event, EventKey, HistoryError, Hold, Note, Outcome, Pending, PendingPage, Position, Writer,
};
use crate::status::Status;
use ahead::ReadAhead;
use attempt::{Ended, Verdict, Waiting};
use forward::Forwarder;
use gate::Gate;
use lanes::{LaneKey, Lanes};
use losses::{Health, Losses, Next};

/// Events of one read.
const READ_AT_ONCE: usize = 256;

/// Bytes after which one read ends.
const READ_BYTES: usize = 4 * 1024 * 1024;

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

/// What delivery knows of its events and of the local service.
#[derive(Debug)]
struct Progress {
    lanes: Lanes<Waiting>,
    ahead: ReadAhead,
    health: Health,
}

/// What an attempt means for the others.
#[derive(Debug)]
enum Then {
    /// The local service answers.
    Up,
    /// Nothing is known that was not before.
    Go,
    /// It is away: a pause, and then a look at whether it takes connections.
    Pause(Duration),
}

impl Delivery {
    /// Delivers until the token is cancelled; then lets attempts under way end, for a while.
    pub(crate) async fn run(self, token: CancellationToken) -> Result<(), HistoryError> {
        let mut progress = Progress {
            lanes: Lanes::new(self.config.concurrency),
            ahead: ReadAhead::default(),
            health: Health::default(),
        };
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
            if more && reading.is_terminated() && progress.ahead.has_room() {
                more = false;
                let next = self.pending.after(read_through, READ_AT_ONCE, READ_BYTES);
                reading.set(next.fuse());
            }
            // What cannot be recorded would be delivered again.
            let works = storage.borrow_and_update().is_none();
            while works
                && probing.is_terminated()
                && let Some((key, waiting)) = progress.start()
            {
                match self.gate.hold(&waiting.event) {
                    Some(why) => {
                        self.writer
                            .note_soon(vec![hold_note(&waiting.event, why)])
                            .await?;
                        progress.done(key, waiting.size);
                    }
                    None => under_way.push(self.attempt(key, waiting, progress.health.begin())),
                }
            }
            self.publish(under_way.len(), held.pending, progress.lanes.count());
            let next_place = progress.lanes.next_place(progress.health.is_in_doubt());
            let next_place = next_place.filter(|_| probing.is_terminated());
            // Every arm is cancel-safe: the futures live outside and are only polled here.
            tokio::select! {
                () = token.cancelled() => {}
                Some(ended) = under_way.next() => {
                    match self.judge(&mut progress, ended?).await? {
                        Then::Up => probing.set(Fuse::terminated()),
                        Then::Pause(pause) if probing.is_terminated() => {
                            let probe = probe::until_reachable(&self.forwarder, &self.target, pause);
                            probing.set(probe.fuse());
                        }
                        Then::Pause(_) | Then::Go => {}
                    }
                }
                page = &mut reading => {
                    let page = page?;
                    more |= !page.events.is_empty() || !page.unreadable.is_empty();
                    read_through = read_through.max(self.take(&mut progress, page).await?);
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

    /// Puts events that were read into their lanes; the place of the last one.
    async fn take(
        &self,
        progress: &mut Progress,
        page: PendingPage,
    ) -> Result<Position, HistoryError> {
        let mut last = self.set_aside(page.unreadable).await?;
        for (mut event, attempts) in page.events {
            last = last.max(event.position);
            let (key, size) = (LaneKey::of(&event), ahead::lighten(&mut event));
            progress.ahead.add(size);
            let waiting = Waiting {
                event,
                size,
                attempts,
                losses: Losses::default(),
            };
            progress.lanes.push(key, waiting);
        }
        Ok(last)
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

    /// Frees the lane, or returns the event to it.
    async fn judge(&self, progress: &mut Progress, ended: Ended) -> Result<Then, HistoryError> {
        let Ended {
            key,
            begun,
            verdict,
        } = ended;
        match verdict {
            Verdict::Done { answered, size } => {
                progress.done(key, size);
                if !answered {
                    return Ok(Then::Go);
                }
                progress.health.answered(begun);
                self.service_up();
                Ok(Then::Up)
            }
            Verdict::Unreachable { waiting, reason } => {
                progress.lanes.returned(key, *waiting);
                self.retries();
                self.service_down(reason);
                Ok(Then::Pause(self.config.probe_every))
            }
            Verdict::Lost {
                mut waiting,
                when,
                reason,
            } => {
                let (counts, next) = progress.health.lost(&mut waiting.losses);
                if counts {
                    let error = reason.clone();
                    let outcome = Outcome::Failed { error };
                    let again = next != Next::GiveUp;
                    self.record(&waiting.event, when, outcome, again).await?;
                    waiting.attempts += 1;
                }
                self.service_down(reason);
                let pause = Then::Pause(progress.health.pause(self.config.probe_every));
                if next == Next::GiveUp {
                    progress.done(key, waiting.size);
                    return Ok(pause);
                }
                self.retries();
                let set_behind = next == Next::SetBehind;
                let is_another_first = progress.lanes.lost(key, *waiting, set_behind);
                // The other one goes at once: what takes the first one down is then no time when the
                // local service came back.
                Ok(if is_another_first { Then::Go } else { pause })
            }
        }
    }
}

impl Progress {
    fn start(&mut self) -> Option<(LaneKey, Waiting)> {
        self.lanes.start(Instant::now(), self.health.is_in_doubt())
    }

    /// The lane's event needs no more.
    fn done(&mut self, key: LaneKey, size: usize) {
        self.ahead.remove(size);
        self.lanes.finished(key);
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
