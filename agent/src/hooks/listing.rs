//! Lists, creates, verifies and deletes the hooks of every known place, on a person's request.
//! Hooks that are created here belong to the person and stay when the agent ends.
//!
//! Podio lists hooks per place (podio.md 2), so a listing costs one call per place of some 1,000
//! per hour: hooks are listed only on request, and not at all near the limit.

use std::collections::HashSet;

use futures_util::stream::{self, StreamExt};
use podtap_podio::EventType;
use podtap_podio::client::{self, BaseUrl, Client, Hook, RateLimit};
use podtap_podio::hook_url::Uncallable;

use super::places::merge;
use super::tunnel_hooks::TunnelHooks;
use super::verdict::{HookUrls, UrlVerdict};
use crate::explain::near_limit;
use crate::history::{Fact, HistoryError, WatchReader, Writer};
use crate::place::{Place, PlaceRef};
use crate::reason;
use crate::standing::{HookStanding, Standings};

/// Maximum number of running calls: one that hangs does not delay the others.
const CALLS_AT_ONCE: usize = 4;

/// Hooks as Podio lists them. Untrusted text: escape it before showing it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookListing {
    /// The requested places, in this order.
    pub places: Vec<Place>,
    /// Their hooks, in the order of the places.
    pub hooks: Vec<ListedHook>,
    /// Places whose hooks could not be listed.
    pub failed: Vec<FailedPlace>,
    /// Number of places beyond [`MAX_PLACES`](super::MAX_PLACES), which were not requested.
    pub left_out: usize,
}

/// A hook, and what is known about it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedHook {
    /// The place of the hook.
    pub place: Place,
    /// The hook as Podio lists it.
    pub hook: Hook,
    /// Whether an agent on this history created it, to be removed when the agent ends.
    pub made_here: bool,
    /// What Podio would have concluded if it had called the local service itself; `None` if the
    /// hook was not called within a week.
    pub standing: Option<HookStanding>,
    /// The verdict on its URL.
    pub verdict: UrlVerdict,
}

/// What is known about hooks here, in addition to Podio's data.
#[derive(Debug, Clone)]
pub struct HookFacts {
    urls: HookUrls,
    standings: Vec<HookStanding>,
    /// Hooks that are removed when the agent ends.
    made_here: HashSet<u64>,
}

impl HookFacts {
    /// Returns facts that consist only of the verdicts on URLs.
    pub fn without_history(api: &BaseUrl) -> Self {
        Self {
            urls: HookUrls::new(api, None),
            standings: Vec::new(),
            made_here: HashSet::new(),
        }
    }

    /// Combines a hook, as Podio lists it, with what is known about it here.
    pub fn describe(&self, place: Place, hook: Hook) -> ListedHook {
        let is_same = |known: &&HookStanding| known.hook_id == hook.hook_id;
        ListedHook {
            place,
            made_here: self.made_here.contains(&hook.hook_id),
            standing: self.standings.iter().find(is_same).cloned(),
            verdict: self.urls.verdict(&hook.url),
            hook,
        }
    }
}

/// A place whose hooks could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPlace {
    pub place: Place,
    /// The reason, in words, including Podio's own.
    pub reason: String,
}

/// Why hooks cannot be listed or managed.
#[derive(Debug, thiserror::Error)]
pub enum ManageHooksError {
    /// There are no credentials.
    #[error("Podio credentials are required to list hooks: set them, or run `podtap login`")]
    NoCredentials,
    /// The rest of the hour's calls is reserved for managing hooks.
    #[error("too few API calls are left this hour ({} of {}): try again later", .0.remaining, .0.limit)]
    RateLimitNear(RateLimit),
    /// Podio would never reach this URL.
    #[error("a hook cannot call {url}")]
    Uncallable { url: String, source: Uncallable },
    /// Podio could not be asked, or refused.
    #[error(transparent)]
    Podio(#[from] client::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Lists and manages hooks. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct HookAdmin {
    pub(crate) api: BaseUrl,
    /// Places of the configuration.
    pub(crate) places: Vec<PlaceRef>,
    pub(crate) client: Client,
    pub(crate) watched: WatchReader,
    pub(crate) writer: Writer,
    pub(crate) standings: Standings,
    pub(crate) known: TunnelHooks,
}

impl HookAdmin {
    /// Lists every hook on every known place, and on the place `also`. `public` is the tunnel's URL
    /// if there is a link.
    pub(crate) async fn list(
        &self,
        also: Option<PlaceRef>,
        public: Option<&str>,
        now: jiff::Timestamp,
    ) -> Result<HookListing, ManageHooksError> {
        self.may_call()?;
        if let Some(rate) = near_limit(&self.client) {
            return Err(ManageHooksError::RateLimitNear(rate));
        }
        let named: Vec<PlaceRef> = also
            .into_iter()
            .chain(self.places.iter().copied())
            .collect();
        let (places, left_out) = merge(&named, self.watched.places().await?);
        let facts = self.facts(public, now).await?;
        let mut listing = HookListing {
            places: places.clone(),
            left_out,
            ..HookListing::default()
        };
        let asked = places.into_iter().map(|place| self.hooks_on(place));
        let mut answers = stream::iter(asked).buffered(CALLS_AT_ONCE);
        let mut seen = HashSet::new();
        while let Some((place, answer)) = answers.next().await {
            let hooks = match answer {
                Ok(hooks) => hooks,
                Err(reason) => {
                    listing.failed.push(FailedPlace { place, reason });
                    continue;
                }
            };
            let new = hooks.into_iter().filter(|hook| seen.insert(hook.hook_id));
            let listed = new.map(|hook| facts.describe(place.clone(), hook));
            listing.hooks.extend(listed);
        }
        Ok(listing)
    }

    /// Returns the places whose hooks are read: those of the configuration, then the learned ones.
    pub(crate) async fn known_places(&self) -> Result<Vec<Place>, HistoryError> {
        Ok(merge(&self.places, self.watched.places().await?).0)
    }

    /// Returns what is known about hooks without asking Podio.
    pub(crate) async fn facts(
        &self,
        public: Option<&str>,
        now: jiff::Timestamp,
    ) -> Result<HookFacts, HistoryError> {
        Ok(HookFacts {
            urls: self.urls(public).await?,
            standings: self.standings.at(now).await?,
            made_here: self.made_here().await?,
        })
    }

    /// Returns how to judge the URLs of hooks. Without a link, the
    /// tunnel is the one in the history, or that of the newest hook
    /// that an agent on this history created and has not removed.
    pub(crate) async fn urls(&self, public: Option<&str>) -> Result<HookUrls, HistoryError> {
        if public.is_some() {
            return Ok(HookUrls::new(&self.api, public));
        }
        if let Some(tunnel_url) = self.watched.tunnel_url().await? {
            return Ok(HookUrls::new(&self.api, Some(&tunnel_url)));
        }
        let mut made = self.watched.made_hooks().await?;
        made.retain(|made| made.api == self.api.as_str());
        let newest = made.last().map(|made| made.url.as_str());
        Ok(HookUrls::new(&self.api, newest))
    }

    /// Creates a hook and stores its place, so that its events show it.
    pub(crate) async fn create(
        &self,
        at: PlaceRef,
        event: EventType,
        url: &str,
    ) -> Result<u64, ManageHooksError> {
        self.may_call()?;
        let unreachable = |source| ManageHooksError::Uncallable {
            url: url.to_owned(),
            source,
        };
        HookUrls::new(&self.api, None)
            .check(url)
            .map_err(unreachable)?;
        let created = self.client.create_hook(at.ref_type, at.ref_id, url, event);
        let hook_id = created.await?;
        let mut known = self.watched.places().await?.into_iter();
        let name = known
            .find(|place| place.at == at)
            .and_then(|place| place.name);
        let place = Place { at, name };
        let learned = Fact::Learned { hook_id, place };
        self.writer.add_facts(vec![learned]).await?;
        Ok(hook_id)
    }

    /// Asks Podio to send another `hook.verify`.
    pub(crate) async fn request_verification(&self, hook_id: u64) -> Result<(), ManageHooksError> {
        self.may_call()?;
        Ok(self.client.request_hook_verification(hook_id).await?)
    }

    /// Deletes a hook, whoever created it.
    pub(crate) async fn delete(&self, hook_id: u64) -> Result<(), ManageHooksError> {
        self.may_call()?;
        self.client.delete_hook(hook_id).await?;
        self.known.note_deleted(hook_id);
        Ok(())
    }

    fn may_call(&self) -> Result<(), ManageHooksError> {
        let known = self.client.has_credentials();
        known.then_some(()).ok_or(ManageHooksError::NoCredentials)
    }

    /// Makes one call, unless other calls have come near the limit.
    async fn hooks_on(&self, place: Place) -> (Place, Result<Vec<Hook>, String>) {
        if let Some(rate) = near_limit(&self.client) {
            let near = ManageHooksError::RateLimitNear(rate);
            return (place, Err(near.to_string()));
        }
        let hooks = self.client.hooks(place.at.ref_type, place.at.ref_id).await;
        // Only Podio's own words are needed: it is clear which call was made.
        let reason = |error: client::Error| match error.refusal() {
            Some(refusal) => refusal.to_string(),
            None => reason::of_podio(&error),
        };
        (place, hooks.map_err(reason))
    }

    /// Returns the hooks that are removed when the agent ends.
    async fn made_here(&self) -> Result<HashSet<u64>, HistoryError> {
        let made = self.watched.made_hooks().await?.into_iter();
        let ours = made.filter(|made| made.api == self.api.as_str());
        Ok(ours.filter_map(|made| made.hook_id).collect())
    }
}
