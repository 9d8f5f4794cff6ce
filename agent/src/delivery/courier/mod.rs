//! Delivers events to one target, in order, and writes the outcomes to the history. An event comes
//! as it arrives, before its commit, or from the history; `intake` ensures that it comes once.
//!
//! `lanes` decides what may start, `attempt` and `forward` make one attempt, `losses` evaluates a
//! lost connection, and `probe` waits for an unreachable target. Each target has its own courier,
//! so that an unreachable target delays only its own events.

mod ahead;
mod attempt;
mod claim;
mod counts;
mod intake;
mod judge;
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

use super::forward::Forwarder;
use super::gate::DeliveryGate;
use crate::answers::Outbox;
use crate::config::DeliveryConfig;
use crate::history::{
    Event, EventKey, Fact, Fresh, HandedOver, HistoryError, HoldReason, NewAttempt, PendingReader,
    Position, Writer,
};
use crate::router::Router;
use crate::status::Status;
use crate::target::Target;
use attempt::{AttemptEnd, PendingEvent};
use claim::{EventClaim, TargetShare};
use counts::{CountsReporter, DeliveryCounts};
use intake::{CameOf, Intake, IntakeStep};
use judge::LaneEffect;
use lanes::{LaneKey, Lanes};
use losses::{Losses, ServiceHealth};

/// Maximum number of events per read.
const READ_AT_ONCE: usize = 256;

/// Bytes after which a read ends.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// Maximum time for running attempts when the agent ends;
/// events whose attempts take longer are offered again.
const DRAIN_LIMIT: Duration = Duration::from_secs(8);

/// Delivers arriving events and waiting events of the history to one target. Built once, run once.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) pending: PendingReader,
    pub(super) writer: Writer,
    pub(super) forwarder: Forwarder,
    pub(super) router: Router,
    pub(super) target: Target,
    /// Number of the target.
    pub(super) number: usize,
    pub(super) config: DeliveryConfig,
    pub(super) gate: DeliveryGate,
    pub(super) status: watch::Sender<Status>,
    /// The queue for answers for which the sender waits, under `Respond::Local`.
    pub(super) answers: Option<Outbox>,
}

/// The progress of delivery: its events and the state of the local service.
#[derive(Debug)]
struct CourierProgress {
    intake: Intake,
    lanes: Lanes<PendingEvent>,
    /// Number of events that were put into the lanes.
    turns: i64,
    health: ServiceHealth,
}

impl Courier {
    /// Delivers until the token is cancelled; then lets running attempts end, for a limited time.
    pub(super) async fn run(
        self,
        mut arrivals: HandedOver,
        token: CancellationToken,
    ) -> Result<(), HistoryError> {
        let mut progress = CourierProgress {
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
            // After the tally: the events that it counts were sent before.
            self.take_in_all(&mut progress, &mut arrivals).await?;
            progress.intake.reaches(held.newest);
            if let Some(after) = progress.intake.read_after()
                && reading.is_terminated()
            {
                let next = self.pending.after(after, READ_AT_ONCE, READ_BYTES);
                reading.set(next.fuse());
            }
            // Do not deliver what cannot be recorded: it would be delivered again.
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
            let show_at = shown.show(&self.status, self.number, counts);
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
                    // Events that arrived before the read may be in it.
                    self.take_in_all(&mut progress, &mut arrivals).await?;
                    self.set_aside(std::mem::take(&mut page.unreadable)).await?;
                    let todo = progress.intake.take_page(page, |waiting| self.claim(&waiting.event, &waiting.answered));
                    self.see_to(&mut progress, todo).await?;
                }
                changed = tally.changed() => changed.map_err(|_| HistoryError::Closed)?,
                Ok(()) = storage.changed() => {}
                // Only an answer proves that the service is back: one that accepts connections may
                // still drop requests.
                stays_open = &mut probing => progress.health.record_look(stays_open),
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

    /// Lets running attempts end, and their outcomes get a position in the history: the link still
    /// commits the events.
    async fn drain(
        &self,
        progress: &mut CourierProgress,
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

    /// Returns the next event to send, if one may start now.
    async fn start(
        &self,
        progress: &mut CourierProgress,
    ) -> Result<Option<(LaneKey, PendingEvent)>, HistoryError> {
        while let Some((key, waiting)) = progress.start() {
            let Some(why) = self.hold(&waiting.event, &waiting.share) else {
                return Ok(Some((key, waiting)));
            };
            if waiting.share.is_first {
                self.answer_for_none(&waiting.event);
            }
            let held = progress.intake.came_of(&waiting.event, CameOf::Hold(why));
            self.see_to(progress, held).await?;
            progress.finish(key, &waiting);
        }
        Ok(None)
    }

    async fn take_in_all(
        &self,
        progress: &mut CourierProgress,
        arrivals: &mut HandedOver,
    ) -> Result<(), HistoryError> {
        while let Some(fresh) = arrivals.try_recv() {
            self.take_in(progress, fresh).await?;
        }
        Ok(())
    }

    async fn take_in(
        &self,
        progress: &mut CourierProgress,
        fresh: Fresh,
    ) -> Result<(), HistoryError> {
        match fresh {
            Fresh::Arrived { event, after } => {
                let claim = self.claim(&event, &[]);
                let is_held = match &claim {
                    EventClaim::Mine(share) => self.hold(&event, share).is_some(),
                    EventClaim::Others | EventClaim::Answered => false,
                };
                let todo = progress.intake.add_arrival(event, after, is_held, claim);
                self.see_to(progress, todo).await
            }
            Fresh::Committed(committed) => {
                let claim = |event: &Event| self.claim(event, &[]);
                let todo = progress.intake.add_committed(committed, claim);
                self.see_to(progress, todo).await
            }
        }
    }

    async fn see_to(
        &self,
        progress: &mut CourierProgress,
        todo: impl IntoIterator<Item = IntakeStep>,
    ) -> Result<(), HistoryError> {
        for one in todo {
            match one {
                IntakeStep::Deliver {
                    event,
                    attempts,
                    size,
                    share,
                } => {
                    progress.turns += 1;
                    let waiting = PendingEvent {
                        event,
                        size,
                        attempts,
                        losses: Losses::default(),
                        share,
                        turn: progress.turns,
                    };
                    progress.lanes.push(LaneKey::of(&waiting.event), waiting);
                }
                IntakeStep::Write(event, came_of) => self.write(event, came_of).await?,
                IntakeStep::Settle(event) => {
                    let fact = Fact::Settled(event);
                    self.writer.add_facts_soon(vec![fact]).await?;
                }
            }
        }
        Ok(())
    }

    async fn write(&self, event: EventKey, came_of: CameOf) -> Result<(), HistoryError> {
        match came_of {
            CameOf::Attempt {
                attempt,
                again,
                others,
            } => {
                let ended = NewAttempt {
                    position: event.position,
                    again,
                    others,
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

    /// Returns whether the event is for this target;
    /// `answered` are the targets that have answered it.
    fn claim(&self, event: &Event, answered: &[String]) -> EventClaim {
        EventClaim::of(
            &self.router.targets_of(event),
            &self.target,
            self.number,
            answered,
        )
    }

    /// Returns why an event must not be delivered; `None` if it may.
    fn hold(&self, event: &Event, share: &TargetShare) -> Option<HoldReason> {
        let hold = self.gate.hold(event);
        hold.or_else(|| share.is_nobodys.then_some(HoldReason::NoRoute))
    }

    /// Moves unreadable events out of the way of the others.
    async fn set_aside(&self, unreadable: Vec<(Position, String)>) -> Result<(), HistoryError> {
        for (position, reason) in unreadable {
            tracing::error!(
                position = position.0,
                reason,
                "an event cannot be read and was moved to the table `damaged`"
            );
            self.writer.set_aside(position, reason).await?;
        }
        Ok(())
    }
}

impl CourierProgress {
    fn start(&mut self) -> Option<(LaneKey, PendingEvent)> {
        self.lanes.start(Instant::now(), self.health.is_in_doubt())
    }

    /// Notes that the lane's event is done.
    fn finish(&mut self, key: LaneKey, waiting: &PendingEvent) {
        self.intake.finish(waiting.event.id, waiting.size);
        self.lanes.finish(key);
    }
}
