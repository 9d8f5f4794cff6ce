//! Explains the newest events without a request, within a share of the hour's calls, so that a list
//! has names and changes, and something is stored about an item before it is deleted.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_podio::client::Error;
use podtap_podio::{EventKind, EventType};
use podtap_wire::EventId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{ExplainError, Explainer};
use crate::history::{Anchor, Event, EventRow, Filter, HistoryError, PageQuery};

/// Maximum number of explanations within an hour: at three
/// calls each, less than a fifth of what Podio allows.
const PER_HOUR: usize = 60;

/// Maximum number of these that are for events on the screen; the others are for arriving events.
const LOOKED_AT_PER_HOUR: usize = 30;

/// Divisor of the hour's calls: this part is reserved for people and hooks. It is more than the
/// reserve that [`Explainer::explain`] keeps.
const LEFT_SHARE: u64 = 2;

/// The period over which explanations are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Number of newest events that are considered: about a screen of them.
const NEWEST: usize = 20;

/// Maximum age of an event.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// Time without events before Podio is asked, so that a burst is read once.
const QUIET: Duration = Duration::from_millis(500);

/// Pause after Podio did not answer.
const REST: Duration = Duration::from_mins(5);

/// Number of remembered events for which Podio was asked, and is not asked again.
const TRIED: usize = 512;

/// Explains events. Built once, run once.
#[derive(Debug)]
pub(crate) struct Enricher {
    explainer: Explainer,
    done: VecDeque<Timestamp>,
    /// The explanations for events on the screen.
    looked_at: VecDeque<Timestamp>,
    tried: VecDeque<EventId>,
}

impl Enricher {
    pub(crate) fn new(explainer: Explainer) -> Self {
        Self {
            explainer,
            done: VecDeque::new(),
            looked_at: VecDeque::new(),
            tried: VecDeque::new(),
        }
    }

    /// Runs until the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Result<(), HistoryError> {
        let explained = token.run_until_cancelled(self.follow()).await;
        explained.unwrap_or(Ok(()))
    }

    async fn follow(&mut self) -> Result<(), HistoryError> {
        if !self.explainer.client.has_credentials() {
            return std::future::pending().await;
        }
        let mut tally = self.explainer.writer.tally();
        let mut visible = self.explainer.visible.subscribe();
        loop {
            // Both futures wait on a watch channel: nothing is lost when one is dropped.
            tokio::select! {
                changed = tally.changed() => changed.map_err(|_| HistoryError::Closed)?,
                changed = visible.changed() => changed.map_err(|_| HistoryError::Closed)?,
            }
            sleep(QUIET).await;
            tally.borrow_and_update();
            visible.mark_unchanged();
            while let Some(event) = self.next(Timestamp::now()).await? {
                match self.explainer.explain(event).await {
                    Ok(_) | Err(ExplainError::UnknownEvent(_) | ExplainError::NotPodio) => {}
                    Err(ExplainError::History(error)) => return Err(error),
                    Err(ExplainError::Podio(error)) if !stops(&error) => {}
                    Err(error) => {
                        tracing::debug!(%error, "no event is explained for a while");
                        sleep(REST).await;
                    }
                }
            }
        }
    }

    /// Returns the newest event that is worth a call, if a call is allowed.
    async fn next(&mut self, now: Timestamp) -> Result<Option<EventId>, HistoryError> {
        let is_old = |at: &mut Timestamp| now.duration_since(*at) >= HOUR;
        while self.done.pop_front_if(is_old).is_some() {}
        while self.looked_at.pop_front_if(is_old).is_some() {}
        let rate = self.explainer.client.rate_limit();
        let is_short = rate.is_some_and(|rate| rate.remaining < rate.limit / LEFT_SHARE);
        if self.done.len() >= PER_HOUR || is_short {
            return Ok(None);
        }
        let query = PageQuery {
            filter: Filter::default(),
            anchor: Anchor::Newest,
            limit: NEWEST,
        };
        for row in self.explainer.history.page(query).await? {
            if is_recent(&row, now) && self.is_worth_it(row.id).await? {
                self.done.push_back(now);
                return Ok(Some(row.id));
            }
        }
        if self.looked_at.len() >= LOOKED_AT_PER_HOUR {
            return Ok(None);
        }
        let visible = self.explainer.visible.borrow().clone();
        for id in visible {
            if self.is_worth_it(id).await? {
                self.done.push_back(now);
                self.looked_at.push_back(now);
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Returns whether Podio may know more about this event. It is checked once.
    async fn is_worth_it(&mut self, id: EventId) -> Result<bool, HistoryError> {
        if self.tried.contains(&id) {
            return Ok(false);
        }
        if self.tried.len() >= TRIED {
            self.tried.pop_front();
        }
        self.tried.push_back(id);
        let event = self.explainer.history.event(id).await?;
        match event.filter(is_told_of) {
            Some(event) => self.is_new(&event).await,
            None => Ok(false),
        }
    }

    async fn is_new(&self, event: &Event) -> Result<bool, HistoryError> {
        match &event.podio {
            Some(podio) => Ok(self.explainer.recall(podio).await?.is_none()),
            None => Ok(false),
        }
    }
}

/// Returns whether Podio would answer the next request in the same way.
fn stops(error: &Error) -> bool {
    error.may_pass() || matches!(error, Error::Unauthorized { .. } | Error::LoginNeeded)
}

fn is_recent(row: &EventRow, now: Timestamp) -> bool {
    row.insight.duplicate.is_none() && now.duration_since(row.received_at) <= RECENT
}

/// Returns whether the event came through a relay, and explanations of its type are stored.
fn is_told_of(event: &Event) -> bool {
    use EventType as E;
    let kind = event.podio.as_ref().map(|podio| &podio.kind);
    event.seq.is_some()
        && matches!(
            kind,
            Some(EventKind::Known(
                E::ItemCreate | E::ItemUpdate | E::ItemDelete | E::CommentCreate
            ))
        )
}
