//! Manages hooks that live as long as the agent: they are created at the start with the tunnel's
//! public URL, verified by the watch, and removed at the end. Only hooks that were created here are
//! removed, after a crash by the next start.

mod listing;
mod make;
mod object;
mod places;
mod plan;
mod remove;
mod temporary;
mod tunnel_hooks;
mod verdict;

use std::time::Duration;

use podtap_podio::client::{self, BaseUrl, Client};
use podtap_podio::hook_url::{Uncallable, check_hook_url};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::config::{HooksConfig, PodioConfig};
use crate::history::{self, HistoryError, Verification, WatchReader, Writer};
use crate::place::{PlaceRef, WantedHook};
use crate::status::Status;
pub(crate) use listing::HookAdmin;
pub use listing::{FailedPlace, HookFacts, HookListing, ListedHook, ManageHooksError};
use make::MakeOutcome;
pub use object::ListedHookObject;
pub use places::MAX_PLACES;
pub(crate) use places::configured_places;
pub use plan::{PlanError, plan};
pub(crate) use tunnel_hooks::TunnelHooks;
use verdict::is_this_machine;
pub(crate) use verdict::path_below_key;
pub use verdict::{HookUrls, UrlVerdict};

/// Pause after the first failure that may pass; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Maximum pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The state of a configured hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReport {
    pub wanted: WantedHook,
    /// Its id, once Podio has returned it.
    pub hook_id: Option<u64>,
    /// How far the hook is.
    pub state: HookState,
}

impl HookReport {
    /// Returns which hook cannot be created and why, in words.
    pub fn failure(&self) -> Option<String> {
        let WantedHook { place, event } = self.wanted;
        match &self.state {
            HookState::Failed { reason } => {
                Some(format!("no hook for {event} on {place}: {reason}"))
            }
            _ => None,
        }
    }
}

/// The state of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookState {
    /// Podio was not asked yet: the public URL is not known.
    Waiting,
    /// It is created, and waits for its verification.
    Made,
    /// It delivers.
    Active,
    /// It could not be created, verified or removed.
    Failed {
        /// The reason, in words, including Podio's own.
        reason: String,
    },
    /// It was removed again.
    Removed,
}

/// Why no hooks are possible.
#[derive(Debug, thiserror::Error)]
pub enum HooksError {
    /// Podio would never reach the URL.
    #[error("a hook cannot call {url}")]
    Uncallable { url: String, source: Uncallable },
    /// Podio refuses the credentials.
    #[error("Podio rejected the credentials, so no hook can be created")]
    Credentials(#[source] client::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Maximum time for removing hooks at the end; the next start removes the others.
const END_LIMIT: Duration = Duration::from_secs(8);

/// Creates and removes hooks. Built once, run once.
#[derive(Debug)]
pub(crate) struct HookMaker {
    config: HooksConfig,
    /// The API's base URL, to which the hooks belong.
    api: BaseUrl,
    client: Client,
    watched: WatchReader,
    writer: Writer,
    known: TunnelHooks,
    status: watch::Sender<Status>,
    changes: broadcast::Receiver<Change>,
    reports: watch::Sender<Vec<HookReport>>,
}

/// Returns the reports before the first hook is created.
pub(crate) fn waiting(config: Option<&HooksConfig>) -> Vec<HookReport> {
    let wanted = config.into_iter().flat_map(|config| &config.wanted);
    let report = |wanted: &WantedHook| HookReport {
        wanted: *wanted,
        hook_id: None,
        state: HookState::Waiting,
    };
    wanted.map(report).collect()
}

impl HookMaker {
    /// If no hooks are configured, it only removes the hooks of an earlier run.
    pub(crate) fn new(
        hook_admin: HookAdmin,
        reports: watch::Sender<Vec<HookReport>>,
        config: PodioConfig,
        status: &watch::Sender<Status>,
        changes: &broadcast::Sender<Change>,
    ) -> Self {
        Self {
            config: config.hooks.unwrap_or_default(),
            api: config.client.base_url,
            client: hook_admin.client,
            watched: hook_admin.watched,
            writer: hook_admin.writer,
            known: hook_admin.known,
            status: status.clone(),
            changes: changes.subscribe(),
            reports,
        }
    }

    /// Creates the hooks once the public URL is known,
    /// and removes them when the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Result<(), HooksError> {
        let lived = token.run_until_cancelled(self.live()).await;
        // If the history cannot be written, the hooks stay recorded for the next start.
        let ended = timeout(END_LIMIT, self.end()).await.unwrap_or(Ok(()));
        lived.unwrap_or(Ok(())).and(ended)
    }

    async fn live(&mut self) -> Result<(), HooksError> {
        self.remove_leftovers().await?;
        if self.config.wanted.is_empty() {
            return std::future::pending().await;
        }
        let mut url = self.url().await?;
        loop {
            url = self.keep_on(&url).await?;
            tracing::info!("the tunnel has a new URL: its hooks are created again");
        }
    }

    /// Creates the hooks for a URL. Returns the tunnel's next URL when it changes.
    async fn keep_on(&mut self, url: &str) -> Result<String, HooksError> {
        let (mut places, mut pause) = (self.places(), FIRST_PAUSE);
        loop {
            places = self.make_all(places, url).await?;
            if places.is_empty() {
                // The hooks for an earlier URL have been used until now.
                self.remove_elsewhere(url).await?;
            }
            // A failure that may pass is tried again without end.
            let again = (!places.is_empty()).then_some(pause);
            if let Some(next) = self.watch_verifications(again, url).await? {
                return Ok(next);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Creates every configured hook on these places;
    /// returns the places for which trying again may help.
    async fn make_all(
        &self,
        places: Vec<PlaceRef>,
        url: &str,
    ) -> Result<Vec<PlaceRef>, HooksError> {
        let mut again = Vec::new();
        for place in places {
            if self.make(place, url).await? == MakeOutcome::NotYet {
                again.push(place);
            }
        }
        Ok(again)
    }

    /// Handles results of verifications during `pause`, or for ever. Returns another URL of the
    /// tunnel as soon as it has one.
    async fn watch_verifications(
        &mut self,
        pause: Option<Duration>,
        url: &str,
    ) -> Result<Option<String>, HooksError> {
        let until = pause.map(|pause| Instant::now() + pause);
        let mut status = self.status.subscribe();
        loop {
            let now = self.url().await?;
            if now != url {
                return Ok(Some(now));
            }
            // All arms are cancel-safe.
            let change = tokio::select! {
                change = self.changes.recv() => change,
                Ok(()) = status.changed() => continue,
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    return Ok(None);
                }
            };
            match change {
                Ok(Change::History(history::HistoryChange::Verified {
                    hook_id: Some(hook_id),
                    verification,
                    ..
                })) => self.report_verification(hook_id, verification),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => self.look_again().await,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Returns the URL for the hooks, once the relay has sent the tunnel's URL.
    async fn url(&self) -> Result<String, HooksError> {
        let mut status = self.status.subscribe();
        let known = status.wait_for(|status| status.public_url.is_some());
        let known = known.await.map(|status| status.public_url.clone());
        let Ok(Some(public)) = known else {
            // The agent ends, and this task with it.
            return std::future::pending().await;
        };
        let (public, path) = (public.trim_end_matches('/'), &self.config.path);
        let url = format!("{public}/{}", path.trim_start_matches('/'));
        if !is_this_machine(self.api.as_str()) {
            check_hook_url(&url).map_err(|source| HooksError::Uncallable {
                url: url.clone(),
                source,
            })?;
        }
        Ok(url)
    }

    fn places(&self) -> Vec<PlaceRef> {
        let mut places: Vec<_> = self.config.wanted.iter().map(|hook| hook.place).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Handles a verification that may have ended before the hook's id was known here.
    async fn look_at(&self, hook_id: u64) -> Result<(), HistoryError> {
        if let Some(verification) = self.watched.verification(hook_id).await? {
            self.report_verification(hook_id, verification);
        }
        Ok(())
    }

    async fn look_again(&self) {
        let ids: Vec<u64> = self
            .reports
            .borrow()
            .iter()
            .filter_map(|r| r.hook_id)
            .collect();
        for hook_id in ids {
            if let Err(error) = self.look_at(hook_id).await {
                tracing::warn!(%error, "cannot look for the verification of a hook");
            }
        }
    }

    fn report_verification(&self, hook_id: u64, verification: Verification) {
        let state = match verification {
            Verification::Validated | Verification::ActiveAnyway => HookState::Active,
            Verification::Failed { reason } => HookState::Failed { reason },
        };
        self.reports.send_if_modified(|reports| {
            let report = reports
                .iter_mut()
                .find(|report| report.hook_id == Some(hook_id));
            // A forged event must not change the state of an active hook.
            let report = report.filter(|report| report.state != HookState::Active);
            report.map(|report| report.state = state).is_some()
        });
        self.publish();
    }

    fn report_failure(&self, wanted: WantedHook, reason: String) {
        let state = HookState::Failed { reason };
        // Report it once, however often it is tried.
        let is_known = |report: &HookReport| report.wanted == wanted && report.state == state;
        if self.reports.borrow().iter().any(is_known) {
            return;
        }
        tracing::debug!(place = %wanted.place, event = %wanted.event, ?state, "no hook");
        self.report(wanted, None, state);
    }

    fn report(&self, wanted: WantedHook, hook_id: Option<u64>, state: HookState) {
        self.reports.send_modify(|reports| {
            if let Some(report) = reports.iter_mut().find(|report| report.wanted == wanted) {
                report.hook_id = hook_id.or(report.hook_id);
                report.state = state;
            }
        });
        self.publish();
    }

    /// Publishes in the status which hooks cannot be created.
    fn publish(&self) {
        let failed: Vec<String> = self
            .reports
            .borrow()
            .iter()
            .filter_map(HookReport::failure)
            .collect();
        self.status.send_if_modified(|status| {
            let is_news = status.failed_hooks != failed;
            status.failed_hooks = failed;
            is_news
        });
    }
}
