//! Follows the history and finds out what events mean: one task, started by the agent that has the
//! link, since two of them would validate everything twice.
//!
//! `verify`, `loops`, `additions`, `marks` and `outage` decide and are pure; `validate`,
//! `evidence` and `names` call Podio.
//! Only what came through a relay counts: an event without a `seq` was made up or imported here, and
//! is passed over. What is found goes back into the history, together with the place up to which was looked: a
//! crash repeats a little and loses nothing.

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

/// Events looked at in one go.
const PAGE: usize = 256;

/// Events after which it is remembered that they were looked at, though nothing was found.
const SAVE_EVERY: usize = 4096;

/// Validations under way at once: one that hangs does not keep the others.
const CALLS_AT_ONCE: usize = 4;

/// Questions to Podio under way at once.
const QUESTIONS_AT_ONCE: usize = 4;

/// Questions that wait; what more there is stays as unclear as it was.
const QUESTIONS_WAITING: usize = 64;

/// Pause between a change of the history and the look at it: what comes meanwhile is looked at
/// together.
const LOOK_AFTER: Duration = Duration::from_millis(25);

/// Pause before following the history again after it could not be read or written.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// Follows the history. Built once, run once.
#[derive(Debug)]
pub(crate) struct Watch {
    explainer: Explainer,
    held: HeldObjects,
    /// Places whose hooks say whether one is active.
    hook_places: Vec<PlaceRef>,
    /// Whether a `hook.verify` is answered.
    verify: bool,
    /// Apps, fields and spaces whose hooks are listed.
    places: Vec<PlaceRef>,
    /// Whether objects in a loop are held.
    break_loops: bool,
    /// Whether the newest events are explained without anybody asking.
    enrich: bool,
    /// Where Podio's API is.
    api: BaseUrl,
    /// When the agent, and the relay in it, ran last.
    was_off_since: Option<Timestamp>,
    status: watch::Receiver<Status>,
}

/// What is known from one event to the next.
#[derive(Debug, Default)]
struct Detectors {
    verifier: Verifier,
    loops: LoopDetector,
    additions: Additions,
    /// Hooks whose last verification failed: an event of one shows that it is active after all.
    failed: HashMap<u64, EventKey>,
    /// What Podio is to be asked, oldest first.
    questions: VecDeque<Question>,
    cursor: Position,
    /// Events since it was last remembered up to where was looked.
    unsaved: usize,
    /// Told when an event of an unknown hook has come.
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

    /// The same with a relay of this process, which took nothing since then.
    pub(crate) fn after_run(mut self, was_off_since: Option<Timestamp>) -> Self {
        self.was_off_since = was_off_since;
        self
    }

    /// Follows until the token is cancelled. Validations under way are dropped then, and picked up
    /// at the next start.
    ///
    /// What cannot be read or written is begun again from what the history remembers.
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
        // When the events that have come are looked at.
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
                // What more there is has waited long enough.
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

    /// Whether Podio, or the stand-in that is set, can call this URL.
    fn can_call(&self, url: &str) -> bool {
        HookUrls::new(&self.api, None).check(url).is_ok()
    }

    /// What an earlier run left.
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
        // An outage that was open when the agent ended: nobody knows for how long it went on.
        let open = self.explainer.watched.outages(now).await?.into_iter();
        let closed = open.map(|(since, _)| Fact::Outage {
            since,
            until: since,
        });
        self.note(closed.collect()).await?;
        self.pick_up(&mut detectors, now).await?;
        Ok(detectors)
    }

    /// Looks at new events, and writes down what was found.
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
            // Nobody fired it now: it came by trigger or import, and is on record only.
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
    /// Has something asked, unless too much is waiting already.
    fn ask(&mut self, question: Question) {
        if self.questions.len() < QUESTIONS_WAITING || matches!(question, Question::Loop(_)) {
            self.questions.push_back(question);
        }
    }
}

/// Waits until then.
async fn until(due: Option<Timestamp>) {
    let wait = due.map_or(SignedDuration::ZERO, |due| {
        due.duration_since(Timestamp::now())
    });
    tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
}
