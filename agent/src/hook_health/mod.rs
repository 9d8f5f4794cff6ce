//! Checks whether the tunnel's hooks still deliver, in one task of the agent that has the link.
//! Every five minutes it reads the hooks of the known places, within a share of the API's calls. A
//! hook that became inactive is reported and verified again (`ledger`); a hook that is gone is
//! reported, and so is one that sends much less or much more than usual (`pace`). The findings are
//! stored in the history.

mod ledger;
mod pace;

use std::time::Duration;

use jiff::Timestamp;
use podtap_connect::reason;
use podtap_podio::client::{Client, Hook};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::PodioConfig;
use crate::history::{Fact, HistoryError, HookNews, RecentEvent, WatchReader, Writer};
use crate::hooks::{HookAdmin, UrlVerdict};
use crate::place::Place;
use crate::status::{LinkState, Status};
use ledger::HookLedger;
use pace::Paces;

/// Maximum number of calls per hour for reading hooks:
/// about one in eight of Podio's 1,000 (podio.md 4.3).
const CALLS_PER_HOUR: u32 = 120;

/// Divisor of the hour's calls: this part is reserved for people and for creating hooks. No hooks
/// are read if fewer calls are left.
const LEFT_SHARE: u64 = 5;

/// Divisor of the time between two readings: after this part, a requested verification is checked.
const LOOKS_PER_READING: u32 = 5;

/// Maximum number of rows per read.
const PAGE: usize = 4096;

/// Number of events from which the usual rates of hooks are learned at the start.
const LEARNED_FROM: usize = 20_000;

/// Checks hooks. Built once, run once.
#[derive(Debug)]
pub(crate) struct HookHealth {
    client: Client,
    hook_admin: HookAdmin,
    watched: WatchReader,
    writer: Writer,
    status: watch::Receiver<Status>,
    /// Pause between two readings.
    every: Duration,
    /// Whether each `hook.verify` is answered here, so that requesting one helps.
    verifies: bool,
}

impl HookHealth {
    pub(crate) fn new(
        config: &PodioConfig,
        hook_admin: HookAdmin,
        status: watch::Receiver<Status>,
    ) -> Self {
        Self {
            client: hook_admin.client.clone(),
            watched: hook_admin.watched.clone(),
            writer: hook_admin.writer.clone(),
            hook_admin,
            status,
            every: config.hooks_read_every,
            verifies: config.verify,
        }
    }

    /// Runs until the token is cancelled. Waits if the
    /// history cannot be read or written for a while.
    pub(crate) async fn run(self, token: CancellationToken) -> Result<(), HistoryError> {
        let looked = token.run_until_cancelled(self.look_on()).await;
        looked.unwrap_or(Ok(()))
    }

    async fn look_on(&self) -> Result<(), HistoryError> {
        loop {
            let looked = async { tokio::try_join!(self.read_hooks(), self.watch_paces()) };
            match looked.await {
                Err(error) if error.may_pass() => {
                    let error = reason::words(&error);
                    tracing::warn!(error, "the hooks cannot be checked");
                    sleep(self.between_looks()).await;
                }
                ended => return ended.map(drop),
            }
        }
    }

    async fn read_hooks(&self) -> Result<(), HistoryError> {
        if !self.client.has_credentials() {
            return std::future::pending().await;
        }
        let mut ledger = HookLedger::new(self.verifies, self.between_looks());
        let mut reading = Instant::now();
        let mut not_before = reading;
        loop {
            // A verification that is due is handled earlier, but not again immediately: if Podio
            // cannot be asked, it stays due.
            let due = ledger.next_due().map(|due| due.max(not_before));
            sleep_until(due.map_or(reading, |due| due.min(reading))).await;
            let url = self.public_url().await;
            let is_round = Instant::now() >= reading;
            self.read(&mut ledger, &url, is_round).await?;
            not_before = Instant::now() + self.between_looks();
            if is_round {
                reading = Instant::now() + self.pause().await?;
            }
        }
    }

    fn between_looks(&self) -> Duration {
        self.every / LOOKS_PER_READING
    }

    /// Reads the hooks of every place, or only of those that wait for a verification.
    async fn read(
        &self,
        ledger: &mut HookLedger,
        url: &str,
        is_round: bool,
    ) -> Result<(), HistoryError> {
        let urls = self.hook_admin.urls(Some(url)).await?;
        let waiting = ledger.waiting_places();
        for place in self.hook_admin.known_places().await? {
            if !is_round && !waiting.contains(&place.at) {
                continue;
            }
            if self.is_short() {
                tracing::debug!("few API calls are left this hour: the hooks are read later");
                return Ok(());
            }
            let at = place.at;
            let hooks = match self.client.hooks(at.ref_type, at.ref_id).await {
                Ok(hooks) => hooks,
                Err(error) => {
                    tracing::debug!(place = %at, %error, "its hooks cannot be read");
                    continue;
                }
            };
            let is_ours = |hook: &Hook| urls.verdict(&hook.url) == UrlVerdict::Ours;
            let (ours, others): (Vec<_>, Vec<_>) = hooks.into_iter().partition(is_ours);
            self.hook_admin.known.set(at, &ours);
            self.take_in(ledger, &place, &ours, &others).await?;
        }
        Ok(())
    }

    /// Reports what is new about the hooks of one place,
    /// and requests the verifications that are due.
    async fn take_in(
        &self,
        ledger: &mut HookLedger,
        place: &Place,
        ours: &[Hook],
        others: &[Hook],
    ) -> Result<(), HistoryError> {
        let is_explained = |hook_id| {
            let is_it = |other: &Hook| other.hook_id == hook_id;
            self.hook_admin.known.is_deleted(hook_id) || others.iter().any(is_it)
        };
        let news = ledger.take_in(place.at, ours, is_explained, Instant::now());
        for hook_id in ledger.take_due(place.at, Instant::now()) {
            if let Err(error) = self.client.request_hook_verification(hook_id).await {
                tracing::warn!(hook_id, %error, "Podio refused to verify a hook again");
            }
        }
        let news = news.into_iter().map(|(hook, state)| HookNews {
            hook_id: hook.hook_id,
            place: Some(place.clone()),
            event_type: Some(hook.event),
            at: Timestamp::now(),
            state,
        });
        self.tell(news.collect()).await
    }

    /// Returns the pause until the next reading, which is longer with many places.
    async fn pause(&self) -> Result<Duration, HistoryError> {
        let places = self.hook_admin.known_places().await?.len();
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        let fair = Duration::from_hours(1) / CALLS_PER_HOUR * places;
        // The short pause of a test is not extended.
        let is_usual = self.every >= Duration::from_mins(1);
        Ok(if is_usual {
            self.every.max(fair)
        } else {
            self.every
        })
    }

    fn is_short(&self) -> bool {
        let rate = self.client.rate_limit();
        rate.is_some_and(|rate| rate.remaining < rate.limit / LEFT_SHARE)
    }

    /// Returns the tunnel's URL, once the relay has sent it.
    async fn public_url(&self) -> String {
        let mut status = self.status.clone();
        let known = status.wait_for(|status| status.public_url.is_some()).await;
        match known.map(|status| status.public_url.clone()) {
            Ok(Some(url)) => url,
            // The agent ends, and this task with it.
            _ => std::future::pending().await,
        }
    }

    async fn watch_paces(&self) -> Result<(), HistoryError> {
        let mut paces = Paces::default();
        let mut cursor = self.watched.recent(LEARNED_FROM).await?.events;
        loop {
            loop {
                let (events, through) = self.watched.recent_events(cursor, PAGE).await?;
                if through == cursor {
                    break;
                }
                cursor = through;
                for event in &events {
                    observe(&mut paces, event);
                }
            }
            // While the link is down, silence is due to the link.
            let is_up = matches!(self.status.borrow().link, LinkState::Up { .. });
            let now = Timestamp::now();
            let mut news = Vec::new();
            for (hook_id, state) in paces.check(now, is_up) {
                news.push(HookNews {
                    hook_id,
                    place: self.watched.place(hook_id).await?,
                    event_type: paces.event_type(hook_id).map(str::to_owned),
                    at: now,
                    state,
                });
            }
            self.tell(news).await?;
            sleep(self.between_looks()).await;
        }
    }

    async fn tell(&self, news: Vec<HookNews>) -> Result<(), HistoryError> {
        if news.is_empty() {
            return Ok(());
        }
        for one in &news {
            tracing::info!(news = %one, "a hook");
        }
        let notes = news.into_iter().map(Fact::Hook);
        self.writer.add_facts(notes.collect()).await
    }
}

fn observe(paces: &mut Paces, event: &RecentEvent) {
    let kind = event.sender.event_type.as_deref();
    if let Some(hook_id) = event.sender.hook_id
        && kind != Some("hook.verify")
    {
        paces.observe(hook_id, kind, event.received_at);
    }
}
