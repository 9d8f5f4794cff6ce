//! Collects what is known about a subject: from Podio, if
//! it may be asked, from the history and from the agent.

use jiff::Timestamp;
use podtap_podio::client::{self, RevisionKind};
use podtap_podio::{EventType, ObjectKind, ObjectRef, RefType};

use super::facts::{Facts, HookFact, KnownHooks, NewestRevision, PodioChange};
use super::judge::judge;
use super::{Subject, Why};
use crate::explain::near_limit;
use crate::figures::MAX_TIMELINE;
use crate::history::filter::{Pattern, Test};
use crate::history::{
    Anchor, DeliveryState, EventRow, Filter, History, HistoryError, LoopFinding, LoopShape,
    PageQuery,
};
use crate::hooks::{HookAdmin, HookListing, ListedHook, ManageHooksError};
use crate::place::{Place, PlaceRef};
use crate::podio_time::podio_time;
use crate::reason;
use crate::status::Status;

/// Maximum number of missing revisions that are searched, from the newest downwards.
const MAX_MISSING: u64 = 1_000;

/// Maximum number of hooks whose last event is looked up: an app has at most ten of each type.
const MAX_HOOKS: usize = 20;

/// Maximum number of places that are named.
const NAMED: usize = 3;

/// Answers one question.
#[derive(Debug)]
pub(crate) struct Gatherer<'a> {
    pub(crate) hook_admin: &'a HookAdmin,
    pub(crate) history: &'a History,
    pub(crate) status: Status,
}

/// What Podio returned about the object.
struct AskedObject {
    change: PodioChange,
    app: Option<Place>,
}

impl Gatherer<'_> {
    /// Makes a few calls to Podio, and none without credentials.
    pub(crate) async fn answer(&self, subject: Subject) -> Result<Why, HistoryError> {
        let now = Timestamp::now();
        let mut asked = self.ask(subject).await;
        let rows = self.rows(subject).await?;
        let newest = match &mut asked.change {
            PodioChange::Revision(revision) => {
                revision.missing = missing_revisions(&rows, revision.number);
                let is_it = |row: &&EventRow| row.revision == Some(revision.number);
                rows.iter().rev().find(is_it).or(rows.last())
            }
            _ => rows.last(),
        };
        let before = newest.and_then(|newest| {
            let waits = |row: &&EventRow| row.state == DeliveryState::Pending;
            let mut older = rows.iter().filter(|row| row.position < newest.position);
            older.find(waits).cloned()
        });
        let public = self.status.public_url.as_deref();
        let listed = self.hooks(subject, &asked, public, now).await?;
        let facts = Facts {
            subject,
            now,
            last_fired: self.last_fired(&listed).await?,
            hooks: listed,
            newest: newest.cloned(),
            before,
            loop_cure: self.loop_cure(subject).await?,
            losses: self.hook_admin.watched.losses().await?,
            knows_tunnel: self.hook_admin.urls(public).await?.knows_tunnel(),
            app: asked.app.map(|app| app.at.ref_id),
            change: asked.change,
            status: self.status.clone(),
        };
        Ok(judge(&facts))
    }

    async fn ask(&self, subject: Subject) -> AskedObject {
        let unasked = |why: &str| AskedObject {
            change: PodioChange::Unasked(why.to_owned()),
            app: None,
        };
        let Subject::Object(object) = subject else {
            return unasked("it has many changes: to check revisions, ask about one item");
        };
        let client = &self.hook_admin.client;
        if !client.has_credentials() {
            return unasked("Podio cannot be asked: no credentials are set (podtap login)");
        }
        if let Some(rate) = near_limit(client) {
            return unasked(&ManageHooksError::RateLimitNear(rate).to_string());
        }
        let found = match object.kind {
            ObjectKind::Item => return self.ask_item(object.id).await,
            ObjectKind::Task => client.task(object.id).await.map(drop),
            ObjectKind::Comment => client.comment(object.id).await.map(drop),
            _ => return unasked("Podio keeps no revisions of it"),
        };
        let change = found.map_or_else(|error| not_shown(&error), |()| PodioChange::There);
        AskedObject { change, app: None }
    }

    async fn ask_item(&self, item_id: u64) -> AskedObject {
        let client = &self.hook_admin.client;
        let item = match client.item(item_id).await {
            Ok(item) => item,
            Err(error) => {
                let change = not_shown(&error);
                return AskedObject { change, app: None };
            }
        };
        let app = item.app.and_then(|app| {
            Some(Place {
                at: PlaceRef::app(app.app_id?),
                name: Some(app.name).filter(|name| !name.is_empty()),
            })
        });
        let change = match client.item_revisions(item_id).await {
            Ok(revisions) => match revisions.iter().max_by_key(|made| made.revision) {
                Some(newest) => PodioChange::Revision(revision(newest)),
                None => PodioChange::There,
            },
            Err(error) => not_shown(&error),
        };
        AskedObject { change, app }
    }

    /// Returns the events of the subject that matter, oldest first.
    async fn rows(&self, subject: Subject) -> Result<Vec<EventRow>, HistoryError> {
        let test = match subject {
            Subject::Object(object) => {
                return Ok(self.history.events_of(object, MAX_TIMELINE).await?.0);
            }
            Subject::Hook(id) => Test::Hook(id),
            Subject::Type(event) => Test::Type(Pattern::new(event.as_str())),
        };
        self.newest_with(test).await
    }

    async fn newest_with(&self, test: Test) -> Result<Vec<EventRow>, HistoryError> {
        let query = PageQuery {
            filter: Filter::default().and(test),
            anchor: Anchor::Newest,
            limit: 1,
        };
        self.history.page(query).await
    }

    async fn hooks(
        &self,
        subject: Subject,
        asked: &AskedObject,
        public: Option<&str>,
        now: Timestamp,
    ) -> Result<KnownHooks, HistoryError> {
        let app = asked.app.as_ref().map(|app| app.at);
        let listing = match self.hook_admin.list(app, public, now).await {
            Ok(listing) => listing,
            Err(ManageHooksError::History(error)) => return Err(error),
            Err(error) => return Ok(KnownHooks::Unknown(error.to_string())),
        };
        if listing.places.is_empty() {
            let why = "no app is known: set PODTAP_PODIO_APP_ID, or create hooks with --app";
            return Ok(KnownHooks::Unknown(why.to_owned()));
        }
        let looked = places_in_words(&listing, app);
        let failed = listing.failed.iter();
        let failed = failed.map(|failed| format!("{}: {}", failed.place.at, failed.reason));
        let failed = failed.collect();
        let mut able = Vec::new();
        for listed in listing.hooks {
            if can_tell(&listed, subject, &asked.change, app) {
                able.push(self.hook(listed).await?);
            }
        }
        Ok(KnownHooks::Listed {
            able,
            looked,
            failed,
        })
    }

    async fn hook(&self, listed: ListedHook) -> Result<HookFact, HistoryError> {
        let hook = listed.hook;
        Ok(HookFact {
            verification: self.hook_admin.watched.verification(hook.hook_id).await?,
            hook_id: hook.hook_id,
            event: hook.event,
            place: listed.place,
            status: hook.status,
            verdict: listed.verdict,
            created: hook.created_on.as_deref().and_then(podio_time),
        })
    }

    async fn last_fired(&self, hooks: &KnownHooks) -> Result<Option<Timestamp>, HistoryError> {
        let KnownHooks::Listed { able, .. } = hooks else {
            return Ok(None);
        };
        let mut last = None;
        for hook in able.iter().take(MAX_HOOKS) {
            let rows = self.newest_with(Test::Hook(hook.hook_id)).await?;
            last = last.max(rows.first().map(|row| row.received_at));
        }
        Ok(last)
    }

    async fn loop_cure(&self, subject: Subject) -> Result<Option<String>, HistoryError> {
        let Subject::Object(object) = subject else {
            return Ok(None);
        };
        let loops = self.history.loops().await?;
        let found = loops.iter().find(|found| is_in(found, object));
        Ok(found.map(LoopFinding::cure))
    }
}

fn is_in(found: &LoopFinding, object: ObjectRef) -> bool {
    let others = match &found.shape {
        LoopShape::Circle(others) => others.as_slice(),
        LoopShape::Same | LoopShape::Adds => &[],
    };
    found.object == object || others.contains(&object)
}

/// Returns what was searched, in words.
fn places_in_words(listing: &HookListing, app: Option<PlaceRef>) -> String {
    if let Some(app) = app {
        return app.to_string();
    }
    let places = listing.places.iter().take(NAMED);
    let places: Vec<String> = places.map(|place| place.at.to_string()).collect();
    let rest = listing.places.len().saturating_sub(NAMED);
    match rest {
        0 => places.join(", "),
        rest => format!("{} and {rest} more", places.join(", ")),
    }
}

/// Returns whether a hook would report the subject.
fn can_tell(
    listed: &ListedHook,
    subject: Subject,
    change: &PodioChange,
    app: Option<PlaceRef>,
) -> bool {
    let hook = &listed.hook;
    match subject {
        Subject::Hook(id) => hook.hook_id == id,
        Subject::Type(event) => hook.event == event.as_str(),
        Subject::Object(object) => {
            let at = listed.place.at;
            // A hook on a field does not contain the field's app.
            let may_be_there = app.is_none_or(|app| at == app || at.ref_type == RefType::AppField);
            let tells = match change {
                PodioChange::Revision(revision) => hook.event == revision.event.as_str(),
                _ => is_about(&hook.event, object.kind),
            };
            may_be_there && tells
        }
    }
}

/// Returns whether events of this type contain the id of such an object.
fn is_about(event: &str, kind: ObjectKind) -> bool {
    let Ok(event) = event.parse::<EventType>() else {
        return false;
    };
    let name = format!("{}_id", kind.as_str());
    let mut parameters = event.spec().parameters.iter();
    parameters.any(|parameter| parameter.name == name)
}

fn revision(made: &client::Revision) -> NewestRevision {
    let who = made.created_by.as_ref().map(|by| by.name.as_str());
    let who = who.filter(|name| !name.is_empty()).unwrap_or("someone");
    let via = made.created_via.as_ref();
    let by = via.map_or_else(
        || who.to_owned(),
        |via| format!("{who} through {}", via.name),
    );
    NewestRevision {
        number: made.revision,
        event: match made.kind {
            RevisionKind::Creation => EventType::ItemCreate,
            RevisionKind::Delete => EventType::ItemDelete,
            _ if made.revision == 0 => EventType::ItemCreate,
            _ => EventType::ItemUpdate,
        },
        at: made.created_on.as_deref().and_then(podio_time),
        by,
        by_hand: via.is_some_and(client::Via::is_podio_itself),
        missing: Vec::new(),
    }
}

/// Returns the result if Podio does not return the object, or could not be asked.
fn not_shown(error: &client::Error) -> PodioChange {
    match error.refusal() {
        Some(refusal) if matches!(refusal.status, 403 | 404 | 410) => {
            PodioChange::Gone(refusal.to_string())
        }
        _ => PodioChange::Unasked(reason::of_podio(error)),
    }
}

/// Returns the revisions below this one that have not arrived, after the first one that has.
fn missing_revisions(rows: &[EventRow], newest: u64) -> Vec<u64> {
    let seen: std::collections::BTreeSet<u64> =
        rows.iter().filter_map(|row| row.revision).collect();
    let Some(first) = seen.first().copied() else {
        return Vec::new();
    };
    let first = first.max(newest.saturating_sub(MAX_MISSING));
    let between = first.saturating_add(1)..newest;
    between.filter(|number| !seen.contains(number)).collect()
}
