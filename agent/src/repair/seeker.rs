//! Asks Podio which items were changed and which revisions they have, and adds the events that
//! hooks must have sent and that did not arrive. Asks one question after another, and checks the
//! hour's remaining calls before each.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use podtap_podio::client::{HookStatus, Item, RateLimit, Revision, Via};
use podtap_podio::{EventType, RefType};

use super::asker::{Halt, PodioAsker};
use super::compose::compose;
use super::expected::{
    ChangePeriod, ItemHook, MadeRevision, active_since, is_whole, unreported_changes,
};
use super::purse::{CallClass, Purse};
use super::{LostEvent, Repair, RepairError, RepairReport};
use crate::history::RepairedEvent;
use crate::hooks::{HookAdmin, HookUrls, UrlVerdict};
use crate::own_client::made_by;
use crate::place::{Place, PlaceRef};
use crate::podio_time::podio_time;

/// Number of items per page of the filter.
const PAGE: u64 = 100;

/// Maximum number of items per app that are checked.
const MAX_ITEMS: u64 = 10_000;

/// Maximum number of events that one repair finds: each is kept until all are written.
const MAX_LOST: usize = 10_000;

/// Number of events written in one transaction.
const WRITTEN_AT_ONCE: usize = 256;

/// Looks for lost events, for one repair.
pub(crate) struct Seeker<'a> {
    hook_admin: &'a HookAdmin,
    repair: Repair,
    asker: PodioAsker<'a>,
    /// Start of the stored events, if older events were removed from the history.
    whole_since: Option<Timestamp>,
    found: Vec<(LostEvent, RepairedEvent)>,
    items: u64,
}

impl<'a> Seeker<'a> {
    pub(crate) fn new(hook_admin: &'a HookAdmin, repair: Repair) -> Self {
        Self {
            hook_admin,
            repair,
            asker: PodioAsker::new(&hook_admin.client, Purse::new(None)),
            whole_since: None,
            found: Vec::new(),
            items: 0,
        }
    }

    /// Runs the repair. `public` is the tunnel's URL if there is a link.
    pub(crate) async fn run(mut self, public: Option<&str>) -> Result<RepairReport, RepairError> {
        if !self.hook_admin.client.has_credentials() {
            return Err(RepairError::NoCredentials);
        }
        let urls = self.hook_admin.urls(public).await?;
        if !urls.knows_tunnel() {
            return Err(RepairError::NoTunnel);
        }
        let places = self.hook_admin.known_places().await?;
        if places.is_empty() {
            return Err(RepairError::NoPlaces);
        }
        let budget = self.hook_admin.client.budget().await;
        let known = budget.map(|budget| RateLimit {
            limit: budget.limit,
            remaining: budget.remaining,
        });
        self.asker = PodioAsker::new(&self.hook_admin.client, Purse::new(known));
        self.whole_since = self.hook_admin.watched.whole_since().await?;
        self.repair.since = self
            .repair
            .since
            .max(self.whole_since.unwrap_or(Timestamp::MIN));
        let mut hooks = Vec::new();
        match self.ask_podio(&places, &urls, &mut hooks).await {
            Ok(()) => {}
            Err(Halt::Stopped(why)) => self.asker.unfinished.insert(0, why),
            Err(Halt::History(error)) => return Err(error.into()),
        }
        self.finish(hooks.len()).await
    }

    /// Asks Podio everything that is needed.
    async fn ask_podio(
        &mut self,
        places: &[Place],
        urls: &HookUrls,
        hooks: &mut Vec<ItemHook>,
    ) -> Result<(), Halt> {
        let mut on_fields = Vec::new();
        for place in places {
            if place.at.ref_type == RefType::Space {
                continue;
            }
            for hook in self.hooks_on(place, urls).await? {
                if hook.field_id.is_some() {
                    on_fields.push(hook);
                } else {
                    hooks.push(hook);
                }
            }
        }
        self.find_apps(places, &mut on_fields).await?;
        hooks.append(&mut on_fields);
        let mut by_app: BTreeMap<u64, Vec<ItemHook>> = BTreeMap::new();
        for hook in hooks.iter() {
            by_app.entry(hook.app_id).or_default().push(hook.clone());
        }
        for (app_id, hooks) in by_app {
            self.app(app_id, &hooks).await?;
        }
        Ok(())
    }

    /// Returns the tunnel's hooks on a place that report
    /// items. For a field, the app is not known yet.
    async fn hooks_on(&mut self, place: &Place, urls: &HookUrls) -> Result<Vec<ItemHook>, Halt> {
        let PlaceRef { ref_type, ref_id } = place.at;
        let asked = self.hook_admin.client.hooks(ref_type, ref_id);
        let listed = match self.asker.ask(CallClass::General, asked).await? {
            Ok(listed) => listed,
            Err(error) => {
                self.asker
                    .leave_out(&format!("the hooks of {}", place.at), &error);
                return Ok(Vec::new());
            }
        };
        let on_field = ref_type == RefType::AppField;
        let mut hooks = Vec::new();
        for hook in listed {
            let event = match hook.event.parse() {
                Ok(event @ EventType::ItemUpdate) => event,
                Ok(event @ EventType::ItemCreate) if !on_field => event,
                _ => continue,
            };
            if urls.verdict(&hook.url) != UrlVerdict::Ours {
                continue;
            }
            let seen = self.hook_admin.watched.seen_of_hook(hook.hook_id).await?;
            // A hook that was never active has lost nothing;
            // one that was active once is missing events.
            if hook.status != HookStatus::Active && !seen.was_active {
                continue;
            }
            let created = hook.created_on.as_deref().and_then(podio_time);
            hooks.push(ItemHook {
                hook_id: hook.hook_id,
                event,
                app_id: if on_field { 0 } else { ref_id },
                field_id: on_field.then_some(ref_id),
                url: hook.url,
                since: active_since(seen, created, self.whole_since),
            });
        }
        Ok(hooks)
    }

    /// Finds the app of each field, which hooks do not contain.
    async fn find_apps(
        &mut self,
        places: &[Place],
        on_fields: &mut Vec<ItemHook>,
    ) -> Result<(), Halt> {
        let mut missing: HashSet<u64> = on_fields.iter().filter_map(|hook| hook.field_id).collect();
        for place in places
            .iter()
            .filter(|place| place.at.ref_type == RefType::App)
        {
            if missing.is_empty() {
                break;
            }
            let app_id = place.at.ref_id;
            let asked = self.hook_admin.client.app(app_id);
            let app = match self.asker.ask(CallClass::General, asked).await? {
                Ok(app) => app,
                Err(error) => {
                    self.asker
                        .leave_out(&format!("the fields of {}", place.at), &error);
                    continue;
                }
            };
            for field in app.fields {
                if missing.remove(&field.field_id) {
                    let is_it = |hook: &&mut ItemHook| hook.field_id == Some(field.field_id);
                    let its = on_fields.iter_mut().filter(is_it);
                    its.for_each(|hook| hook.app_id = app_id);
                }
            }
        }
        for field in missing {
            self.asker
                .note(format!("the app of field {field} is unknown: add --app"));
            on_fields.retain(|hook| hook.field_id != Some(field));
        }
        Ok(())
    }

    async fn app(&mut self, app_id: u64, hooks: &[ItemHook]) -> Result<(), Halt> {
        let mut offset = 0;
        loop {
            let since = self.repair.since;
            let asked = self
                .hook_admin
                .client
                .items_edited_since(app_id, since, PAGE, offset);
            let page = match self.asker.ask(CallClass::Limited, asked).await? {
                Ok(page) => page,
                Err(error) => {
                    self.asker
                        .leave_out(&format!("the items of app {app_id}"), &error);
                    return Ok(());
                }
            };
            let count = page.items.len() as u64;
            for item in &page.items {
                self.item(item, hooks).await?;
            }
            offset += count;
            if count == 0 || offset >= page.filtered {
                return Ok(());
            }
            if offset >= MAX_ITEMS {
                self.asker.note(format!(
                    "app {app_id} has {} changed items, and only the first {offset} were checked: \
                     choose a later --since",
                    page.filtered
                ));
                return Ok(());
            }
        }
    }

    async fn item(&mut self, item: &Item, hooks: &[ItemHook]) -> Result<(), Halt> {
        self.items += 1;
        if item.item_id == 0 {
            self.asker
                .note("Podio's answer has an item that cannot be read".to_owned());
            return Ok(());
        }
        let told = self.hook_admin.watched.told_of(item.item_id).await?;
        if item
            .revision
            .is_some_and(|newest| is_whole(newest, hooks, &told))
        {
            return Ok(());
        }
        let asked = self.hook_admin.client.item_revisions(item.item_id);
        let revisions = match self.asker.ask(CallClass::General, asked).await? {
            Ok(revisions) => revisions,
            // The item was deleted in the meantime.
            Err(error)
                if error
                    .refusal()
                    .is_some_and(|it| matches!(it.status, 404 | 410)) =>
            {
                return Ok(());
            }
            Err(error) => {
                self.asker
                    .leave_out(&format!("item {}", item.item_id), &error);
                return Ok(());
            }
        };
        let window = ChangePeriod {
            since: self.repair.since,
            until: self.repair.until,
        };
        for revision in &revisions {
            let Some(made) = MadeRevision::of(revision) else {
                continue;
            };
            let untold = unreported_changes(&made, hooks, &told, window);
            if untold.is_empty() {
                continue;
            }
            let changed = if untold.iter().any(|hook| hook.field_id.is_some()) {
                self.changed_fields(item.item_id, made.revision).await?
            } else {
                HashSet::new()
            };
            for hook in untold {
                if hook.field_id.is_none_or(|field| changed.contains(&field)) {
                    self.lose(item, revision, &made, hook)?;
                }
            }
        }
        Ok(())
    }

    async fn changed_fields(&mut self, item_id: u64, revision: u64) -> Result<HashSet<u64>, Halt> {
        let before = revision.saturating_sub(1);
        let asked = self
            .hook_admin
            .client
            .item_difference(item_id, before, revision);
        Ok(match self.asker.ask(CallClass::General, asked).await? {
            Ok(changes) => changes.iter().map(|change| change.field_id).collect(),
            Err(error) => {
                let what = format!("what revision {revision} of item {item_id} changed");
                self.asker.leave_out(&what, &error);
                HashSet::new()
            }
        })
    }

    fn lose(
        &mut self,
        item: &Item,
        revision: &Revision,
        made: &MadeRevision,
        hook: &ItemHook,
    ) -> Result<(), Halt> {
        if self.found.len() >= MAX_LOST {
            return Err(Halt::Stopped(format!(
                "more than {MAX_LOST} events never arrived: run the repair again for the rest"
            )));
        }
        let external_id = item.external_id.as_deref();
        let now = Timestamp::now();
        let Some(event) = compose(hook, made, item.item_id, external_id, now) else {
            return Ok(());
        };
        let via = revision.created_via.as_ref();
        let lost = LostEvent {
            id: event.id,
            event: made.event,
            item_id: item.item_id,
            revision: made.revision,
            hook_id: hook.hook_id,
            made_at: made.at,
            by: made_by(revision.created_by.as_ref(), via),
            by_hand: via.is_some_and(Via::is_podio_itself),
        };
        self.found.push((lost, event));
        Ok(())
    }

    /// Writes the found events, the oldest change first.
    async fn finish(mut self, hooks: usize) -> Result<RepairReport, RepairError> {
        let order = |(lost, _): &(LostEvent, RepairedEvent)| {
            (lost.made_at, lost.item_id, lost.revision, lost.hook_id)
        };
        self.found.sort_by_key(order);
        let (mut lost, events): (Vec<_>, Vec<_>) = self.found.into_iter().unzip();
        if !self.repair.dry_run {
            let mut new = HashSet::new();
            for some in events.chunks(WRITTEN_AT_ONCE) {
                new.extend(
                    self.hook_admin
                        .writer
                        .append_repaired(some.to_vec())
                        .await?,
                );
            }
            // The other events have arrived in the meantime.
            lost.retain(|lost| new.contains(&lost.id));
        }
        Ok(RepairReport {
            since: self.repair.since,
            until: self.repair.until,
            lost,
            items: self.items,
            hooks,
            unfinished: self.asker.unfinished,
        })
    }
}
