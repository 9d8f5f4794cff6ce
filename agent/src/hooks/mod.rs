//! Hooks that live as long as the agent: made at the start with the tunnel's public URL, verified
//! by the watch, removed at the end. Exactly those that were made here are removed, also by the
//! next start after a crash.

mod listing;
mod places;
mod plan;
mod remove;
mod temporary;
mod verdict;

use podtap_podio::client::{BaseUrl, Client, Hook, HookStatus};
use podtap_podio::hook_url::{Uncallable, check_hook_url};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::config::{HooksConfig, PodioConfig};
use crate::handle::Change;
use crate::history::{HistoryError, MadeHook, Note, Verification, Watched, Writer};
use crate::insights::Insights;
use crate::place::{Place, PlaceRef};
use crate::status::Status;
use crate::watch::{name, told};
pub(crate) use listing::HookDesk;
pub use listing::{FailedPlace, HookListing, ListedHook, ManageHooksError};
pub use places::MAX_PLACES;
pub(crate) use places::configured;
pub use plan::{PlanError, WantedHook, plan};
use verdict::is_this_machine;
pub use verdict::{HookUrls, UrlVerdict};

/// What became of a hook that was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReport {
    /// Which one.
    pub wanted: WantedHook,
    /// Its id, once Podio told.
    pub hook_id: Option<u64>,
    /// How far it is.
    pub state: HookState,
}

/// How far a hook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookState {
    /// Nothing was asked yet: the public URL is not known.
    Waiting,
    /// It is made, and waits for its verification.
    Made,
    /// It delivers.
    Active,
    /// It could not be made, verified or removed.
    Failed {
        /// Why, in words; Podio's own among them.
        reason: String,
    },
    /// It was removed again.
    Removed,
}

/// Why there can be no hooks.
#[derive(Debug, thiserror::Error)]
pub enum HooksError {
    /// Podio would never reach them.
    #[error("no hook can be made on {url}")]
    Uncallable {
        /// The URL.
        url: String,
        /// Why not.
        source: Uncallable,
    },
    /// The history failed.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Makes and removes hooks. Built once, run once.
#[derive(Debug)]
pub(crate) struct Hooks {
    config: HooksConfig,
    /// The API's base URL: whose hooks they are.
    api: BaseUrl,
    client: Client,
    watched: Watched,
    writer: Writer,
    status: watch::Receiver<Status>,
    changes: broadcast::Receiver<Change>,
    reports: watch::Sender<Vec<HookReport>>,
}

/// What is known before the first hook is made.
pub(crate) fn waiting(config: Option<&HooksConfig>) -> Vec<HookReport> {
    let wanted = config.into_iter().flat_map(|config| &config.wanted);
    let report = |wanted: &WantedHook| HookReport {
        wanted: *wanted,
        hook_id: None,
        state: HookState::Waiting,
    };
    wanted.map(report).collect()
}

impl Hooks {
    /// Where none are wanted, only what an earlier run left is removed.
    pub(crate) fn new(
        insights: Insights,
        config: PodioConfig,
        status: &watch::Sender<Status>,
        changes: &broadcast::Sender<Change>,
    ) -> Self {
        Self {
            config: config.hooks.unwrap_or_default(),
            api: config.client.base_url,
            client: insights.client,
            watched: insights.watched,
            writer: insights.writer,
            status: status.subscribe(),
            changes: changes.subscribe(),
            reports: insights.hooks,
        }
    }

    /// Makes the hooks once the public URL is known, and removes them when the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Result<(), HooksError> {
        let lived = token.run_until_cancelled(self.live()).await;
        let ended = self.end().await;
        lived.unwrap_or(Ok(())).and(ended)
    }

    async fn live(&mut self) -> Result<(), HooksError> {
        self.remove_leftovers().await?;
        if self.config.wanted.is_empty() {
            return std::future::pending().await;
        }
        let url = self.url().await?;
        for place in self.places() {
            self.make(place, &url).await?;
        }
        loop {
            match self.changes.recv().await {
                Ok(Change::Verified {
                    hook_id: Some(hook_id),
                    verification,
                    ..
                }) => self.verified(hook_id, verification),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => self.look_again().await,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Where hooks shall send to, once the relay has told.
    async fn url(&mut self) -> Result<String, HooksError> {
        let known = self.status.wait_for(|status| status.public_url.is_some());
        let known = known.await.map(|status| status.public_url.clone());
        let Ok(Some(public)) = known else {
            // The agent ends, and this with it.
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

    /// Every hook wanted on one place. One that is there already with the same URL would only
    /// double each event: it is used, and not removed at the end, since it was not made here.
    async fn make(&self, at: PlaceRef, url: &str) -> Result<(), HistoryError> {
        let wanted = self.config.wanted.iter().filter(|hook| hook.place == at);
        let there = match self.client.hooks(at.ref_type, at.ref_id).await {
            Ok(there) => there,
            Err(error) => {
                wanted.for_each(|hook| self.failed(*hook, told(&error)));
                return Ok(());
            }
        };
        let newest_then = there.iter().map(|hook| hook.hook_id).max().unwrap_or(0);
        let name = name(&self.client, at).await;
        let place = Place { at, name };
        for hook in wanted {
            let same = |there: &&Hook| there.url == url && there.event == hook.event.as_str();
            let hook_id = match there.iter().find(same) {
                Some(there) => self.reuse(*hook, there).await,
                None => self.create(*hook, url, newest_then).await?,
            };
            if let Some(hook_id) = hook_id {
                let place = place.clone();
                let learned = Note::Learned { hook_id, place };
                self.writer.note(vec![learned]).await?;
            }
        }
        Ok(())
    }

    async fn reuse(&self, wanted: WantedHook, there: &Hook) -> Option<u64> {
        if there.status == HookStatus::Active {
            self.report(wanted, Some(there.hook_id), HookState::Active);
            return Some(there.hook_id);
        }
        self.report(wanted, Some(there.hook_id), HookState::Made);
        let asked = self.client.request_hook_verification(there.hook_id).await;
        if let Err(error) = asked {
            self.failed(wanted, told(&error));
        }
        Some(there.hook_id)
    }

    /// On record before Podio is asked, so that no crash leaves a hook that nobody knows of.
    async fn create(
        &self,
        wanted: WantedHook,
        url: &str,
        newest_then: u64,
    ) -> Result<Option<u64>, HistoryError> {
        let WantedHook { place, event } = wanted;
        let records = self.watched.made_hooks().await?;
        let number = records.last().map_or(1, |last| last.number + 1);
        let record = MadeHook {
            number,
            api: self.api.as_str().to_owned(),
            place,
            event_type: event.as_str().to_owned(),
            url: url.to_owned(),
            newest_then,
            hook_id: None,
        };
        self.writer.note(vec![Note::Making(record)]).await?;
        let created = self
            .client
            .create_hook(place.ref_type, place.ref_id, url, event);
        match created.await {
            Ok(hook_id) => {
                // Its verification may have come before this: what was told then stands.
                self.report(wanted, Some(hook_id), HookState::Made);
                self.writer
                    .note(vec![Note::Made { number, hook_id }])
                    .await?;
                self.look_at(hook_id).await?;
                Ok(Some(hook_id))
            }
            Err(error) => {
                self.failed(wanted, told(&error));
                if error.refusal().is_some() {
                    self.writer.note(vec![Note::Forget { number }]).await?;
                }
                Ok(None)
            }
        }
    }

    /// The verification that may have ended before the hook's id was known here.
    async fn look_at(&self, hook_id: u64) -> Result<(), HistoryError> {
        if let Some(verification) = self.watched.verification(hook_id).await? {
            self.verified(hook_id, verification);
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

    fn verified(&self, hook_id: u64, verification: Verification) {
        let state = match verification {
            Verification::Validated | Verification::ActiveAnyway => HookState::Active,
            Verification::Failed { reason } => HookState::Failed { reason },
        };
        self.reports.send_if_modified(|reports| {
            let report = reports
                .iter_mut()
                .find(|report| report.hook_id == Some(hook_id));
            // A forged event must not take an active hook's name away.
            let report = report.filter(|report| report.state != HookState::Active);
            report.map(|report| report.state = state).is_some()
        });
    }

    fn failed(&self, wanted: WantedHook, reason: String) {
        tracing::warn!(place = %wanted.place, event = %wanted.event, reason, "no hook");
        self.report(wanted, None, HookState::Failed { reason });
    }

    fn report(&self, wanted: WantedHook, hook_id: Option<u64>, state: HookState) {
        self.reports.send_modify(|reports| {
            if let Some(report) = reports.iter_mut().find(|report| report.wanted == wanted) {
                report.hook_id = hook_id.or(report.hook_id);
                report.state = state;
            }
        });
    }
}
