//! Explains the newest events by itself, quietly and within a share of the hour's calls, so that a
//! list has names and what changed, and something is left to tell once an item is deleted.

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

/// Explanations within an hour: at three calls each, less than a fifth of what Podio allows.
const PER_HOUR: usize = 60;

/// Those of them that are for what somebody looks at: the others are for what arrives.
const LOOKED_AT_PER_HOUR: usize = 30;

/// One in so many calls of the hour is left for people and hooks: more than the reserve that
/// [`Explainer::explain`] keeps.
const LEFT_SHARE: u64 = 2;

/// The time for which explanations are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The newest events that are looked at: about a screen of them.
const NEWEST: usize = 20;

/// How old an event may be.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// The quiet after an arrival before anybody is asked: a burst is looked at once.
const QUIET: Duration = Duration::from_millis(500);

/// How long nobody is asked after Podio did not answer.
const REST: Duration = Duration::from_mins(5);

/// Events that are not asked about again, whatever came of it.
const TRIED: usize = 512;

/// Explains. Built once, run once.
#[derive(Debug)]
pub(crate) struct Enricher {
    explainer: Explainer,
    done: VecDeque<Timestamp>,
    /// Those of them that somebody looked at.
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

    /// Goes on until the token is cancelled.
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
            // Both are watches: nothing is lost by dropping the other wait.
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

    /// The newest event that is worth a call, where one may be made.
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

    /// Whether Podio may tell more of this event. It is looked into once.
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

/// Whether Podio would say the same to the next one who asks.
fn stops(error: &Error) -> bool {
    error.may_pass() || matches!(error, Error::Unauthorized { .. } | Error::LoginNeeded)
}

fn is_recent(row: &EventRow, now: Timestamp) -> bool {
    row.insight.duplicate.is_none() && now.duration_since(row.received_at) <= RECENT
}

/// Whether it came through a relay, and its explanation is kept.
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
