//! Delivery: events in their order to the local service, what came of them into the history. An
//! event comes as it arrives, beside its commit, or out of the history; `intake` sees to it that it
//! comes once.
//!
//! `lanes` decides what may start, `attempt` and `forward` do one attempt, `losses` judges one whose
//! connection was lost, `probe` waits for a local service that is away. A crash loses no more than
//! the knowledge of the last attempts: their events still wait in the history, or on the relay, and
//! are offered again (invariant 1: at least once).

mod ahead;
mod attempt;
mod counts;
pub(crate) mod forward;
pub(crate) mod gate;
mod header_case;
pub(crate) mod headers;
mod intake;
mod lanes;
mod losses;
mod probe;

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::answers::Outbox;
use crate::config::{DeliveryConfig, Target};
use crate::history::{
    EventKey, Fact, Fresh, HandedOver, HistoryError, NewAttempt, Outcome, Pending, Position, Writer,
};
use crate::status::Status;
use attempt::{AttemptEnd, LaneVerdict, PendingEvent};
use counts::{CountsReporter, DeliveryCounts};
use forward::Forwarder;
use gate::Gate;
use intake::{CameOf, Intake, Todo};
use lanes::{LaneKey, Lanes};
use losses::{AfterLoss, Losses, ServiceHealth};

/// Events of one read.
const READ_AT_ONCE: usize = 256;

/// Bytes after which one read ends.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// Time for attempts under way once the agent shall end; what takes longer is offered again.
const DRAIN_LIMIT: Duration = Duration::from_secs(8);

/// Delivers what arrives and what waits in the history. Built once, run once.
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
    pub(crate) answers: Option<Outbox>,
}

/// What delivery knows of its events and of the local service.
#[derive(Debug)]
struct Progress {
    intake: Intake,
    lanes: Lanes<PendingEvent>,
    /// Events that went into the lanes.
    turns: i64,
    health: ServiceHealth,
}

/// What an attempt means for the others.
#[derive(Debug)]
enum LaneEffect {
    /// The local service answers.
    Up,
    /// Nothing is known that was not before.
    Go,
    /// It is away: a pause, and then a look at whether it takes connections.
    Pause(Duration),
}

impl Delivery {
    /// Delivers until the token is cancelled; then lets attempts under way end, for a while.
    pub(crate) async fn run(
        self,
        mut arrivals: HandedOver,
        token: CancellationToken,
    ) -> Result<(), HistoryError> {
        let mut progress = Progress {
            intake: Intake::default(),
            lanes: Lanes::new(self.config.concurrency),
            turns: 0,
            health: ServiceHealth::default(),
        };
        let mut under_way = FuturesUnordered::new();
        let mut tally = self.writer.tally();
        let mut storage = self.writer.storage();
        let mut shown = CountsReporter::default();
        let mut reading = pin!(Fuse::terminated());
        let mut probing = pin!(Fuse::terminated());
        while !token.is_cancelled() {
            let held = *tally.borrow_and_update();
            // After the tally: what it reaches was sent before.
            self.take_in_all(&mut progress, &mut arrivals).await?;
            progress.intake.reaches(held.newest);
            if let Some(after) = progress.intake.read_after()
                && reading.is_terminated()
            {
                let next = self.pending.after(after, READ_AT_ONCE, READ_BYTES);
                reading.set(next.fuse());
            }
            // What cannot be recorded would be delivered again.
            let works = storage.borrow_and_update().is_none();
            while works
                && probing.is_terminated()
                && let Some((key, waiting)) = self.start(&mut progress).await?
            {
                under_way.push(self.attempt(key, waiting, progress.health.begin()));
            }
            let counts = DeliveryCounts {
                in_flight: under_way.len(),
                pending: held.pending,
                lanes: progress.lanes.count(),
            };
            let show_at = shown.show(&self.status, counts);
            let next_place = progress.lanes.next_place(progress.health.is_in_doubt());
            let next_place = next_place.filter(|_| probing.is_terminated());
            let next = next_place.into_iter().chain(show_at).min();
            // Every arm is cancel-safe: the futures live outside and are only polled here.
            tokio::select! {
                () = token.cancelled() => {}
                Some(ended) = under_way.next() => {
                    match self.judge(&mut progress, ended).await? {
                        LaneEffect::Up => probing.set(Fuse::terminated()),
                        LaneEffect::Pause(pause) if probing.is_terminated() => {
                            let looks = progress.health.wants_a_look();
                            let probe =
                                probe::until_reachable(&self.forwarder, &self.target, pause, looks);
                            probing.set(probe.fuse());
                        }
                        LaneEffect::Pause(_) | LaneEffect::Go => {}
                    }
                }
                Some(fresh) = arrivals.recv() => self.take_in(&mut progress, fresh).await?,
                page = &mut reading => {
                    let mut page = page?;
                    // What arrived before the read may be in it.
                    self.take_in_all(&mut progress, &mut arrivals).await?;
                    self.set_aside(std::mem::take(&mut page.unreadable)).await?;
                    let todo = progress.intake.read(page);
                    self.see_to(&mut progress, todo).await?;
                }
                changed = tally.changed() => changed.map_err(|_| HistoryError::Closed)?,
                Ok(()) = storage.changed() => {}
                // Only an answer tells that it is back: what takes connections may still refuse.
                stays_open = &mut probing => progress.health.looked(stays_open),
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
        let end = self.drain(&mut progress, &mut arrivals, &mut under_way);
        let ended = tokio::time::timeout(DRAIN_LIMIT, end).await;
        ended.unwrap_or_else(|_| {
            tracing::info!(
                left = under_way.len(),
                "deliveries were cut off; they will be offered again"
            );
            Ok(())
        })
    }

    /// Lets attempts under way end, and what came of them get its place in the history: the link has
    /// it committed.
    async fn drain(
        &self,
        progress: &mut Progress,
        arrivals: &mut HandedOver,
        under_way: &mut (impl Stream<Item = AttemptEnd> + Unpin),
    ) -> Result<(), HistoryError> {
        loop {
            tokio::select! {
                Some(ended) = under_way.next() => {
                    self.judge(progress, ended).await?;
                }
                Some(fresh) = arrivals.recv(), if !progress.intake.is_settled() => {
                    self.take_in(progress, fresh).await?;
                }
                else => return Ok(()),
            }
        }
    }

    /// The next event to be sent, if one may go now.
    async fn start(
        &self,
        progress: &mut Progress,
    ) -> Result<Option<(LaneKey, PendingEvent)>, HistoryError> {
        while let Some((key, waiting)) = progress.start() {
            let Some(why) = self.gate.hold(&waiting.event) else {
                return Ok(Some((key, waiting)));
            };
            self.answer_for_none(&waiting.event);
            let held = progress.intake.came_of(&waiting.event, CameOf::Hold(why));
            self.see_to(progress, held).await?;
            progress.finish(key, &waiting);
        }
        Ok(None)
    }

    async fn take_in_all(
        &self,
        progress: &mut Progress,
        arrivals: &mut HandedOver,
    ) -> Result<(), HistoryError> {
        while let Some(fresh) = arrivals.try_recv() {
            self.take_in(progress, fresh).await?;
        }
        Ok(())
    }

    async fn take_in(&self, progress: &mut Progress, fresh: Fresh) -> Result<(), HistoryError> {
        match fresh {
            Fresh::Arrived { event, after } => {
                let is_held = self.gate.hold(&event).is_some();
                let todo = progress.intake.add_arrival(event, after, is_held);
                self.see_to(progress, todo).await
            }
            Fresh::Committed(committed) => {
                let todo = progress.intake.add_committed(committed);
                self.see_to(progress, todo).await
            }
        }
    }

    async fn see_to(
        &self,
        progress: &mut Progress,
        todo: impl IntoIterator<Item = Todo>,
    ) -> Result<(), HistoryError> {
        for one in todo {
            match one {
                Todo::Deliver {
                    event,
                    attempts,
                    size,
                } => {
                    progress.turns += 1;
                    let waiting = PendingEvent {
                        event: *event,
                        size,
                        attempts,
                        losses: Losses::default(),
                        turn: progress.turns,
                    };
                    progress.lanes.push(LaneKey::of(&waiting.event), waiting);
                }
                Todo::Write(event, came_of) => self.write(event, came_of).await?,
            }
        }
        Ok(())
    }

    async fn write(&self, event: EventKey, came_of: CameOf) -> Result<(), HistoryError> {
        match came_of {
            CameOf::Attempt { attempt, again } => {
                let ended = NewAttempt {
                    position: event.position,
                    again,
                    attempt: *attempt,
                };
                self.writer.record_soon(ended).await
            }
            CameOf::Hold(hold) => {
                let note = Fact::Hold { event, hold };
                self.writer.add_facts_soon(vec![note]).await
            }
        }
    }

    /// Takes events that cannot be read out of the way of the others.
    async fn set_aside(&self, unreadable: Vec<(Position, String)>) -> Result<(), HistoryError> {
        for (position, reason) in unreadable {
            tracing::error!(
                position = position.0,
                reason,
                "an event cannot be read and is set aside"
            );
            self.writer.set_aside(position, reason).await?;
        }
        Ok(())
    }

    /// Frees the lane, or returns the event to it.
    async fn judge(
        &self,
        progress: &mut Progress,
        ended: AttemptEnd,
    ) -> Result<LaneEffect, HistoryError> {
        let AttemptEnd {
            key,
            begun,
            verdict,
        } = ended;
        match verdict {
            LaneVerdict::Done {
                waiting,
                attempt,
                answered,
            } => {
                let again = false;
                let attempt = CameOf::Attempt { attempt, again };
                let todo = progress.intake.came_of(&waiting.event, attempt);
                self.see_to(progress, todo).await?;
                progress.finish(key, &waiting);
                if !answered {
                    return Ok(LaneEffect::Go);
                }
                progress.health.record_answer(begun);
                self.service_up();
                Ok(LaneEffect::Up)
            }
            LaneVerdict::Unreachable { waiting, reason } => {
                progress.lanes.requeue(key, *waiting);
                self.retries();
                self.service_down(reason);
                Ok(LaneEffect::Pause(self.config.probe_every))
            }
            LaneVerdict::Lost {
                mut waiting,
                when,
                reason,
            } => {
                let no_others = progress.lanes.has_none_to_ask();
                let (counts, next) = progress.health.record_loss(&mut waiting.losses, no_others);
                if counts {
                    let error = reason.clone();
                    let outcome = Outcome::Failed { error };
                    let again = next != AfterLoss::GiveUp;
                    let attempt = Box::new(self.on_record(&waiting.event, when, outcome));
                    let attempt = CameOf::Attempt { attempt, again };
                    let todo = progress.intake.came_of(&waiting.event, attempt);
                    self.see_to(progress, todo).await?;
                    waiting.attempts += 1;
                }
                self.service_down(reason);
                let pause = LaneEffect::Pause(progress.health.pause(self.config.probe_every));
                if next == AfterLoss::GiveUp {
                    progress.finish(key, &waiting);
                    return Ok(pause);
                }
                self.retries();
                let set_behind = next == AfterLoss::SetBehind;
                let is_another_first = progress.lanes.requeue_lost(key, *waiting, set_behind);
                // The other one goes at once: what takes the first one down is then no time when the
                // local service came back.
                Ok(if is_another_first {
                    LaneEffect::Go
                } else {
                    pause
                })
            }
        }
    }
}

impl Progress {
    fn start(&mut self) -> Option<(LaneKey, PendingEvent)> {
        self.lanes.start(Instant::now(), self.health.is_in_doubt())
    }

    /// The lane's event needs no more.
    fn finish(&mut self, key: LaneKey, waiting: &PendingEvent) {
        self.intake.finish(waiting.event.id, waiting.size);
        self.lanes.finish(key);
    }
}

/// How senders reach the tunnel, as far as is known: a relay of any use has a certificate.
pub(crate) fn scheme(status: &Status) -> &'static str {
    match &status.public_url {
        Some(url) if url.starts_with("http:") => "http",
        _ => "https",
    }
}
