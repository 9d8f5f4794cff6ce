//! The hooks of every place that is known, as Podio has them: listed, made, verified again and
//! deleted for a person who looks at them. Hooks made here are the person's, and stay when the
//! agent ends.
//!
//! Podio lists hooks place by place (podio.md 2), so a listing costs one call a place of some 1,000
//! an hour: nothing is listed unasked, and near the limit nothing at all.

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

/// Lists under way at once: one that hangs does not keep the others.
const CALLS_AT_ONCE: usize = 4;

/// Hooks as Podio has them. Texts are of the outside world: escape them before showing them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookListing {
    /// The places that were asked for, in this order.
    pub places: Vec<Place>,
    /// Their hooks, in the order of the places.
    pub hooks: Vec<ListedHook>,
    /// Places whose hooks could not be listed.
    pub failed: Vec<FailedPlace>,
    /// Places beyond [`MAX_PLACES`](super::MAX_PLACES), which were not asked for.
    pub left_out: usize,
}

/// A hook, and what is known of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedHook {
    /// What it is on.
    pub place: Place,
    /// The hook as Podio has it.
    pub hook: Hook,
    /// Whether an agent on this history made it, to be removed when the agent ends.
    pub made_here: bool,
    /// How it would stand, had Podio called the local service itself; `None` where it was not
    /// called within a week.
    pub standing: Option<HookStanding>,
    /// What is to be thought of its URL.
    pub verdict: UrlVerdict,
}

/// What is known here of hooks, beside what Podio says.
#[derive(Debug, Clone)]
pub struct HookFacts {
    urls: HookUrls,
    standings: Vec<HookStanding>,
    /// Hooks that are removed when the agent ends.
    made_here: HashSet<u64>,
}

impl HookFacts {
    /// Without a history only the URLs say something.
    pub fn without_history(api: &BaseUrl) -> Self {
        Self {
            urls: HookUrls::new(api, None),
            standings: Vec::new(),
            made_here: HashSet::new(),
        }
    }

    /// A hook as Podio has it, with what is known of it here.
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
    /// Why not, in words; Podio's own among them.
    pub reason: String,
}

/// Why hooks cannot be listed or managed.
#[derive(Debug, thiserror::Error)]
pub enum ManageHooksError {
    /// Nobody may ask.
    #[error("Podio credentials are required to list hooks: set them, or run `podtap login`")]
    NoCredentials,
    /// The rest of the hour's calls is needed for managing hooks.
    #[error("too few API calls are left this hour ({} of {}): try again later", .0.remaining, .0.limit)]
    RateLimitNear(RateLimit),
    /// Podio would never reach it.
    #[error("a hook cannot call {url}")]
    Uncallable { url: String, source: Uncallable },
    /// Podio could not be asked, or has refused.
    #[error(transparent)]
    Podio(#[from] client::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Lists and manages hooks. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct HookAdmin {
    pub(crate) api: BaseUrl,
    /// Places that the configuration names.
    pub(crate) places: Vec<PlaceRef>,
    pub(crate) client: Client,
    pub(crate) watched: WatchReader,
    pub(crate) writer: Writer,
    pub(crate) standings: Standings,
    pub(crate) known: TunnelHooks,
}

impl HookAdmin {
    /// Every hook on every known place, and on another one where that is given. `public` is the
    /// tunnel's URL, where there is a link.
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

    /// The places whose hooks are looked at: those of the configuration, then those that were learned.
    pub(crate) async fn known_places(&self) -> Result<Vec<Place>, HistoryError> {
        Ok(merge(&self.places, self.watched.places().await?).0)
    }

    /// What is known of hooks without asking Podio.
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

    /// What the URLs of hooks are judged by: without a link, the tunnel is the one that the history
    /// remembers, or that of the newest hook that an agent on this history made and has not removed.
    pub(crate) async fn urls(&self, public: Option<&str>) -> Result<HookUrls, HistoryError> {
        if public.is_some() {
            return Ok(HookUrls::new(&self.api, public));
        }
        if let Some(to_known_item) = self.watched.tunnel_url().await? {
            return Ok(HookUrls::new(&self.api, Some(&to_known_item)));
        }
        let mut made = self.watched.made_hooks().await?;
        made.retain(|made| made.api == self.api.as_str());
        let newest = made.last().map(|made| made.url.as_str());
        Ok(HookUrls::new(&self.api, newest))
    }

    /// Makes a hook, and remembers what it is on, so that its events say so.
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

    /// Has Podio send another `hook.verify`.
    pub(crate) async fn request_verification(&self, hook_id: u64) -> Result<(), ManageHooksError> {
        self.may_call()?;
        Ok(self.client.request_hook_verification(hook_id).await?)
    }

    /// Deletes a hook, whoever made it.
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

    /// One call, unless the others have come near the limit by now.
    async fn hooks_on(&self, place: Place) -> (Place, Result<Vec<Hook>, String>) {
        if let Some(rate) = near_limit(&self.client) {
            let near = ManageHooksError::RateLimitNear(rate);
            return (place, Err(near.to_string()));
        }
        let hooks = self.client.hooks(place.at.ref_type, place.at.ref_id).await;
        // What was called goes without saying: Podio's own words are what matters.
        let reason = |error: client::Error| match error.refusal() {
            Some(refusal) => refusal.to_string(),
            None => reason::of_podio(&error),
        };
        (place, hooks.map_err(reason))
    }

    /// Hooks that are removed when the agent ends.
    async fn made_here(&self) -> Result<HashSet<u64>, HistoryError> {
        let made = self.watched.made_hooks().await?.into_iter();
        let ours = made.filter(|made| made.api == self.api.as_str());
        Ok(ours.filter_map(|made| made.hook_id).collect())
    }
}
