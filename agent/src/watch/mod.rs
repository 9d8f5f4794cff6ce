//! Follows the history and finds out what events mean: one task, started by the agent that has the
//! link, since two of them would validate everything twice.
//!
//! `verify`, `loops`, `marks` and `outage` decide and are pure; `validate` and `names` call Podio.
//! Only what came through a relay counts: an event without a `seq` was made up or imported here, and
//! is passed over. What is found goes back into the history, together with the place up to which was looked: a
//! crash repeats a little and loses nothing.

mod loops;
mod marks;
mod names;
mod outage;
mod validate;
mod verify;

use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::config::PodioConfig;
use crate::history::{Arrival, HistoryError, LoopFinding, Note, Position, Verification};
use crate::insights::Insights;
use crate::place::PlaceRef;
use crate::status::{ServiceState, Status};
use loops::Loops;
pub(crate) use names::name;
pub(crate) use validate::told;

use names::Names;
use validate::Validator;
use verify::{Answer, Pair, Verifier};

/// Events looked at in one go.
const PAGE: usize = 256;

/// Events after which it is remembered that they were looked at, though nothing was found.
const SAVE_EVERY: usize = 4096;

/// Validations under way at once: one that hangs does not keep the others.
const CALLS_AT_ONCE: usize = 4;

/// How far back a `hook.verify` that was never answered is picked up after a start. Its code may
/// still be good; one call tells.
const PICK_UP: SignedDuration = SignedDuration::from_hours(24);

/// Unanswered ones that are picked up, the newest.
const PICK_UP_AT_MOST: usize = 50;

/// Follows the history. Built once, run once.
#[derive(Debug)]
pub(crate) struct Watch {
    insights: Insights,
    /// Whether a `hook.verify` is answered.
    verify: bool,
    /// Apps, fields and spaces whose hooks are listed.
    places: Vec<PlaceRef>,
    /// Whether objects in a loop are held.
    break_loops: bool,
    status: watch::Receiver<Status>,
}

/// What is known from one event to the next.
#[derive(Debug, Default)]
struct Detectors {
    verifier: Verifier,
    loops: Loops,
    cursor: Position,
    /// Events since it was last remembered up to where was looked.
    unsaved: usize,
    /// Told when an event of an unknown hook has come.
    unknown_hook: Arc<Notify>,
}

impl Watch {
    pub(crate) fn new(
        insights: Insights,
        config: &PodioConfig,
        status: watch::Receiver<Status>,
    ) -> Self {
        Self {
            insights,
            verify: config.verify,
            places: config.places.clone(),
            break_loops: config.break_loops,
            status,
        }
    }

    /// Follows until the token is cancelled. Validations under way are dropped then, and picked up
    /// at the next start.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Result<(), HistoryError> {
        let mut detectors = self.begin().await?;
        let names = Names {
            client: self.insights.client.clone(),
            writer: self.insights.writer.clone(),
            places: self.places.clone(),
            unknown: Arc::clone(&detectors.unknown_hook),
        };
        let learning = names.run(token.clone());
        let following = self.follow(&mut detectors, token);
        tokio::try_join!(learning, following).map(drop)
    }

    async fn follow(
        &mut self,
        detectors: &mut Detectors,
        token: CancellationToken,
    ) -> Result<(), HistoryError> {
        let validator = Validator {
            client: self.insights.client.clone(),
            watched: self.insights.watched.clone(),
            places: self.places.clone(),
        };
        let mut calls = FuturesUnordered::new();
        let mut tally = self.insights.writer.tally();
        let mut state = ServiceState::Unknown;
        while !token.is_cancelled() {
            let more = tally.borrow_and_update().newest > detectors.cursor;
            if more {
                let page = self
                    .insights
                    .watched
                    .arrivals(detectors.cursor, PAGE)
                    .await?;
                self.look(detectors, page).await?;
            }
            while calls.len() < CALLS_AT_ONCE
                && let Some(pair) = detectors.verifier.start(Timestamp::now())
            {
                calls.push(validator.validate(pair));
            }
            let due = detectors.verifier.next_due();
            let call_due = due.filter(|_| calls.len() < CALLS_AT_ONCE);
            // Every arm is cancel-safe: the calls live outside and are only polled here.
            tokio::select! {
                () = token.cancelled() => {}
                () = std::future::ready(()), if more => {}
                Some(ended) = calls.next() => {
                    let (pair, answer) = ended?;
                    self.validated(&mut detectors.verifier, &pair, answer).await?;
                }
                changed = tally.changed() => changed.map_err(|_| HistoryError::Closed)?,
                Ok(()) = self.status.changed() => {
                    let now_is = self.status.borrow_and_update().service.clone();
                    let note = outage::outage(&state, &now_is, Timestamp::now());
                    state = now_is;
                    self.note(note.into_iter().collect()).await?;
                }
                () = until(call_due), if call_due.is_some() => {}
            }
        }
        self.note(vec![Note::Watched(detectors.cursor)]).await
    }

    /// A call has ended: tells the events that waited for it, unless there will be another one.
    async fn validated(
        &self,
        verifier: &mut Verifier,
        pair: &Pair,
        answer: Answer,
    ) -> Result<(), HistoryError> {
        let Some((events, verification)) = verifier.ended(pair, answer, Timestamp::now()) else {
            return Ok(());
        };
        let notes = events.into_iter().map(|event| Note::Verified {
            event,
            hook_id: Some(pair.hook_id),
            verification: verification.clone(),
        });
        self.note(notes.collect()).await
    }

    /// What an earlier run left.
    async fn begin(&self) -> Result<Detectors, HistoryError> {
        let now = Timestamp::now();
        let mut detectors = Detectors {
            cursor: self.insights.watched.progress().await?,
            ..Detectors::default()
        };
        for finding in self.insights.watched.loops().await? {
            detectors.loops.resume(&finding);
        }
        // An outage that was open when the agent ended: nobody knows for how long it went on.
        let open = self.insights.watched.outages(now).await?.into_iter();
        let closed = open.map(|(since, _)| Note::Outage {
            since,
            until: since,
        });
        self.note(closed.collect()).await?;
        let since = now.saturating_sub(PICK_UP).unwrap_or(Timestamp::MIN);
        let unverified = self
            .insights
            .watched
            .unverified(since, detectors.cursor, PICK_UP_AT_MOST);
        let mut notes = Vec::new();
        for arrival in unverified.await? {
            notes.extend(self.verify(&mut detectors.verifier, &arrival, now));
        }
        self.note(notes).await?;
        Ok(detectors)
    }

    /// Looks at new events, and writes down what was found.
    async fn look(
        &self,
        detectors: &mut Detectors,
        page: Vec<Arrival>,
    ) -> Result<(), HistoryError> {
        let now = Timestamp::now();
        let mut notes = Vec::new();
        for arrival in &page {
            detectors.cursor = arrival.event.position;
            // Nobody fired it now: it came by trigger or import, and is on record only.
            if !arrival.relayed {
                continue;
            }
            notes.extend(marks::marks(arrival));
            notes.extend(self.verify(&mut detectors.verifier, arrival, now));
            if let Some(finding) = detectors.loops.observe(arrival) {
                notes.extend(self.found(finding));
            }
            if arrival.hook_id.is_some() && !arrival.known_hook {
                detectors.unknown_hook.notify_one();
            }
        }
        detectors.unsaved += page.len();
        if !notes.is_empty() || detectors.unsaved >= SAVE_EVERY {
            notes.push(Note::Watched(detectors.cursor));
            detectors.unsaved = 0;
        }
        self.note(notes).await
    }

    /// Has a `hook.verify` validated; its outcome, where that stands already.
    fn verify(&self, verifier: &mut Verifier, arrival: &Arrival, now: Timestamp) -> Option<Note> {
        let is_verify = arrival.event_type.as_deref() == Some("hook.verify");
        if !is_verify || !self.verify || arrival.verification.is_some() {
            return None;
        }
        let known = arrival
            .earlier
            .as_ref()
            .and_then(|earlier| earlier.verification.clone());
        let pair = Pair::parse(arrival.hook_id, arrival.code.as_deref());
        let verification = match (known, pair) {
            (Some(known), _) => known,
            (None, Ok(pair)) => verifier.ask(arrival.event, pair, arrival.received_at, now)?,
            (None, Err(reason)) => Verification::Failed {
                reason: reason.to_owned(),
            },
        };
        Some(Note::Verified {
            event: arrival.event,
            hook_id: arrival.hook_id,
            verification,
        })
    }

    fn found(&self, finding: LoopFinding) -> Vec<Note> {
        tracing::warn!(object = %finding.object, hook = finding.hook_id, "loop");
        let object = finding.object;
        let newly_held = self.break_loops && self.insights.held.hold(object);
        let mut notes = vec![Note::Loop(finding)];
        notes.extend(newly_held.then_some(Note::HoldObject(object)));
        notes
    }

    async fn note(&self, notes: Vec<Note>) -> Result<(), HistoryError> {
        if notes.is_empty() {
            return Ok(());
        }
        self.insights.writer.note(notes).await
    }
}

/// Waits until then.
async fn until(due: Option<Timestamp>) {
    let wait = due.map_or(SignedDuration::ZERO, |due| {
        due.duration_since(Timestamp::now())
    });
    tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
}
