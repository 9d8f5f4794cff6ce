//! Follows the history and finds out what events mean, in one task of the agent that has the link:
//! two such tasks would validate everything twice.
//!
//! `verify`, `loops`, `additions`, `marks` and `outage` decide and are pure;
//! `validate`, `evidence` and `names` call Podio. Only events that came through a
//! relay count: an event without a `seq` was triggered or imported here, and is
//! skipped. Findings are written to the history together with the position up to
//! which events were read, so that a crash repeats a little and loses nothing.

mod additions;
mod evidence;
mod judging;
mod loops;
mod marks;
mod names;
mod outage;
#[cfg(test)]
mod sample;
mod suspicion;
mod validate;
mod verify;
mod verifying;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::OptionFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};
use podtap_connect::reason;
use podtap_podio::client::BaseUrl;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::PodioConfig;
use crate::delivery::gate::HeldObjects;
use crate::explain::{Enricher, Explainer};
use crate::history::{Arrival, EventKey, Fact, HistoryError, Position};
use crate::hooks::HookUrls;
use crate::place::PlaceRef;
use crate::status::{ServiceState, Status};
use additions::Additions;
use evidence::{EvidenceSource, Question};
use loops::LoopDetector;
use names::NameLearner;
use outage::LinkWatch;
use validate::Validator;
use verify::Verifier;

/// Number of events that are read together.
const PAGE: usize = 256;

/// Number of events without a finding after which the position is stored.
const SAVE_EVERY: usize = 4096;

/// Maximum number of running validations: one that hangs does not delay the others.
const CALLS_AT_ONCE: usize = 4;

/// Maximum number of running questions to Podio.
const QUESTIONS_AT_ONCE: usize = 4;

/// Maximum number of waiting questions; beyond it, questions about gaps are dropped.
const QUESTIONS_WAITING: usize = 64;

/// Pause between a change of the history and reading it,
/// so that events that arrive meanwhile are read together.
const LOOK_AFTER: Duration = Duration::from_millis(25);

/// Pause before the watch starts again after the history could not be read or written.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// Follows the history. Built once, run once.
#[derive(Debug)]
pub(crate) struct Watch {
    explainer: Explainer,
    held: HeldObjects,
    /// Places whose lists of hooks show whether a hook is active.
    hook_places: Vec<PlaceRef>,
    /// Whether a `hook.verify` is answered.
    verify: bool,
    /// Apps, fields and spaces whose hooks are listed.
    places: Vec<PlaceRef>,
    /// Whether objects in a loop are held.
    break_loops: bool,
    /// Whether the newest events are explained without a person's request.
    enrich: bool,
    /// Base URL of Podio's API.
    api: BaseUrl,
    /// When the agent and its own relay last ran.
    was_off_since: Option<Timestamp>,
    status: watch::Receiver<Status>,
}

/// The state that is kept from one event to the next.
#[derive(Debug, Default)]
struct Detectors {
    verifier: Verifier,
    loops: LoopDetector,
    additions: Additions,
    /// Hooks whose last verification failed: an event from one shows that it is active after all.
    failed: HashMap<u64, EventKey>,
    /// Questions to Podio, oldest first.
    questions: VecDeque<Question>,
    cursor: Position,
    /// Number of events since the position was last stored.
    unsaved: usize,
    /// Notified when an event of an unknown hook has arrived.
    unknown_hook: Arc<Notify>,
}

impl Watch {
    pub(crate) fn new(
        explainer: Explainer,
        held: HeldObjects,
        hook_places: Vec<PlaceRef>,
        config: &PodioConfig,
        status: watch::Receiver<Status>,
    ) -> Self {
        Self {
            verify: config.verify,
            places: config.places.clone(),
            break_loops: config.break_loops,
            explainer,
            held,
            hook_places,
            enrich: config.enrich,
            api: config.client.base_url.clone(),
            was_off_since: None,
            status,
        }
    }

    /// Sets since when a relay of this process accepted no webhooks.
    pub(crate) fn after_run(mut self, was_off_since: Option<Timestamp>) -> Self {
        self.was_off_since = was_off_since;
        self
    }

    /// Follows until the token is cancelled. Running validations
    /// are then dropped, and picked up at the next start.
    ///
    /// If the history cannot be read or written, following
    /// starts again from what the history has stored.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Result<(), HistoryError> {
        loop {
            match self.run_once(token.clone()).await {
                Err(error) if error.may_pass() && !token.is_cancelled() => {
                    tracing::warn!(
                        error = reason::words(&error),
                        "the history cannot be followed"
                    );
                    let again = async {
                        tokio::time::sleep(BEGIN_AGAIN).await;
                        self.explainer.writer.until_it_works().await;
                    };
                    tokio::select! {
                        () = again => {}
                        () = token.cancelled() => return Ok(()),
                    }
                }
                Err(error) if error.may_pass() => return Ok(()),
                ended => return ended,
            }
        }
    }

    async fn run_once(&mut self, token: CancellationToken) -> Result<(), HistoryError> {
        let mut detectors = self.begin().await?;
        let names = NameLearner {
            client: self.explainer.client.clone(),
            writer: self.explainer.writer.clone(),
            places: self.places.clone(),
            unknown: Arc::clone(&detectors.unknown_hook),
        };
        let learning = names.run(token.clone());
        let explainer = self.explainer.clone();
        let enricher = self.enrich.then(|| Enricher::new(explainer));
        let enriching =
            OptionFuture::from(enricher.map(|enricher| Box::pin(enricher.run(token.clone()))));
        let enriching = async { enriching.await.unwrap_or(Ok(())) };
        let following = self.follow(&mut detectors, token);
        tokio::try_join!(learning, enriching, following).map(drop)
    }

    async fn follow(
        &mut self,
        detectors: &mut Detectors,
        token: CancellationToken,
    ) -> Result<(), HistoryError> {
        let validator = Validator {
            client: self.explainer.client.clone(),
            watched: self.explainer.watched.clone(),
            places: self.hook_places.clone(),
        };
        let witness = EvidenceSource::new(
            self.explainer.client.clone(),
            self.explainer.history.clone(),
            self.explainer.watched.clone(),
            self.explainer.writer.clone(),
            self.explainer.own.clone(),
        );
        let (mut calls, mut asking) = (FuturesUnordered::new(), FuturesUnordered::new());
        let mut tally = self.explainer.writer.tally();
        let mut state = ServiceState::Unknown;
        let was_off_since = self.was_off_since.take();
        let mut link = LinkWatch::after(was_off_since);
        let mut url = None;
        // Time at which the new events are read.
        let mut look_at = None;
        while !token.is_cancelled() {
            let newest = tally.borrow_and_update().newest;
            if newest <= detectors.cursor {
                look_at = None;
            } else if *look_at.get_or_insert_with(|| Instant::now() + LOOK_AFTER) <= Instant::now()
            {
                let page = self
                    .explainer
                    .watched
                    .arrivals(detectors.cursor, PAGE)
                    .await?;
                let (page, through) = page;
                self.inspect(detectors, page).await?;
                detectors.cursor = detectors.cursor.max(through);
                // Further events have waited long enough.
                look_at = (newest > detectors.cursor).then(Instant::now);
            }
            while calls.len() < CALLS_AT_ONCE
                && let Some(pair) = detectors.verifier.start(Timestamp::now())
            {
                calls.push(validator.validate(pair));
            }
            while asking.len() < QUESTIONS_AT_ONCE
                && let Some(question) = detectors.questions.pop_front()
            {
                asking.push(witness.answer(question));
            }
            let due = detectors.verifier.next_due();
            let call_due = due.filter(|_| calls.len() < CALLS_AT_ONCE);
            // Every arm is cancel-safe: the calls live outside and are only polled here.
            tokio::select! {
                () = token.cancelled() => {}
                () = sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => {}
                Some(ended) = calls.next() => {
                    let (pair, answer) = ended?;
                    self.finish_validation(detectors, &pair, answer).await?;
                }
                Some(answered) = asking.next() => self.apply_answer(detectors, answered?).await?,
                changed = tally.changed(), if look_at.is_none() => {
                    changed.map_err(|_| HistoryError::Closed)?;
                }
                Ok(()) = self.status.changed() => {
                    let now_is = self.status.borrow_and_update().service.clone();
                    let outage = outage::outage(&state, &now_is, Timestamp::now());
                    let away = link.observe(&self.status.borrow().link, Timestamp::now());
                    state = now_is;
                    let public_url = self.status.borrow().public_url.clone();
                    // A relay of this process that Podio cannot call has missed nothing.
                    let is_called = was_off_since.is_none()
                        || public_url.as_deref().is_some_and(|url| self.can_call(url));
                    let away = away.filter(|_| is_called);
                    let known = public_url.filter(|_| url.is_none());
                    let named = known.map(|known| Fact::Tunnel { url: url.insert(known).clone() });
                    self.note(outage.into_iter().chain(away).chain(named).collect()).await?;
                }
                () = until(call_due), if call_due.is_some() => {}
            }
        }
        self.note(vec![Fact::Watched(detectors.cursor)]).await
    }

    /// Returns whether Podio, or the configured replacement, can call this URL.
    fn can_call(&self, url: &str) -> bool {
        HookUrls::new(&self.api, None).check(url).is_ok()
    }

    /// Restores the state of an earlier run.
    async fn begin(&self) -> Result<Detectors, HistoryError> {
        let now = Timestamp::now();
        let mut detectors = Detectors {
            cursor: self.explainer.watched.progress().await?,
            ..Detectors::default()
        };
        for finding in self.explainer.watched.loops().await? {
            detectors.loops.resume(&finding);
            detectors.additions.resume(&finding);
        }
        // An outage that had not ended when the agent did: it is not known how long it lasted.
        let open = self.explainer.watched.outages(now).await?.into_iter();
        let closed = open.map(|(since, _)| Fact::Outage {
            since,
            until: since,
        });
        self.note(closed.collect()).await?;
        self.pick_up(&mut detectors, now).await?;
        Ok(detectors)
    }

    /// Reads new events and stores the findings.
    async fn inspect(
        &self,
        detectors: &mut Detectors,
        page: Vec<Arrival>,
    ) -> Result<(), HistoryError> {
        let now = Timestamp::now();
        let own = self.own_hooks(&page).await?;
        let mut notes = Vec::new();
        for arrival in &page {
            detectors.cursor = arrival.event.position;
            // The event was triggered or imported, not sent now, so it is only stored.
            if !arrival.relayed {
                notes.extend(marks::marks_of_repaired(arrival));
                continue;
            }
            notes.extend(marks::marks(arrival));
            notes.extend(self.verify(detectors, arrival, &own, now));
            let suspicions = [
                detectors.loops.observe(arrival),
                detectors.additions.observe(arrival),
            ];
            for suspicion in suspicions.into_iter().flatten() {
                detectors.ask(Question::Loop(Box::new(suspicion)));
            }
            if let Some(gap) =
                evidence::gap(arrival).filter(|_| self.explainer.client.has_credentials())
            {
                detectors.ask(Question::Gap(gap));
            }
            if arrival.hook_id.is_some() && !arrival.known_hook {
                detectors.unknown_hook.notify_one();
            }
        }
        detectors.unsaved += page.len();
        if !notes.is_empty() || detectors.unsaved >= SAVE_EVERY {
            notes.push(Fact::Watched(detectors.cursor));
            detectors.unsaved = 0;
        }
        self.note(notes).await
    }

    async fn note(&self, notes: Vec<Fact>) -> Result<(), HistoryError> {
        if notes.is_empty() {
            Ok(())
        } else if notes.iter().all(Fact::is_derived) {
            self.explainer.writer.add_facts_soon(notes).await
        } else {
            self.explainer.writer.add_facts(notes).await
        }
    }
}

impl Detectors {
    /// Queues a question, unless too many are waiting.
    fn ask(&mut self, question: Question) {
        if self.questions.len() < QUESTIONS_WAITING || matches!(question, Question::Loop(_)) {
            self.questions.push_back(question);
        }
    }
}

/// Waits until this time.
async fn until(due: Option<Timestamp>) {
    let wait = due.map_or(SignedDuration::ZERO, |due| {
        due.duration_since(Timestamp::now())
    });
    tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
}
