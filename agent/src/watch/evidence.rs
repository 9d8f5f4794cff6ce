//! Asks Podio who made a change before a loop is reported: one call per finding, within a separate
//! budget, and none near the rate limit. `created_via` and `created_by` decide (podio.md 5.3).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use podtap_podio::client::{ByLine, Client, Error, Via};
use podtap_podio::{EventType, ObjectKind, ObjectRef, RefType};
use tokio::sync::Mutex;

use super::suspicion::Suspicion;
use crate::explain::near_limit;
use crate::history::{
    EventKey, Fact, History, HistoryError, LoopFinding, Maker, WatchReader, Writer,
};
use crate::own_client::OwnClient;
use crate::place::{Place, PlaceRef};
use crate::reason;

/// Maximum number of calls within an hour. Podio allows 1,000 for everything (podio.md 4.3).
const CALLS_PER_HOUR: usize = 60;

/// The period over which calls are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Time for which a hook's gaps count as intended, after one gap was found to be intended.
const BELIEVED: SignedDuration = SignedDuration::from_mins(10);

/// Maximum number of hooks for which such a result is stored.
const MAX_BELIEFS: usize = 1000;

/// What is known about the maker of a change.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) maker: Maker,
    /// Whether the change was made in Podio itself, where `hook=false` cannot be set.
    pub(super) by_hand: bool,
}

impl Statement {
    fn unknown_maker(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            maker: Maker::Unknown { reason },
            by_hand: false,
        }
    }
}

/// Revisions that did not arrive.
#[derive(Debug, Clone, Copy)]
pub(super) struct RevisionGap {
    /// The event above these revisions.
    pub(super) above: EventKey,
    pub(super) item_id: u64,
    /// The newest of these revisions.
    pub(super) revision: u64,
    pub(super) hook_id: Option<u64>,
    /// Whether the hook is known to be on an app and so reports every revision.
    pub(super) on_app: bool,
}

/// A question to Podio.
#[derive(Debug)]
pub(super) enum Question {
    Loop(Box<Suspicion>),
    Gap(RevisionGap),
}

/// A question with its answer.
#[derive(Debug)]
pub(super) enum AnsweredQuestion {
    Loop(Box<Suspicion>, Statement),
    /// Whether nothing is missing, because the hook did not have to report these revisions.
    Gap(RevisionGap, bool),
}

/// Asks Podio. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct EvidenceSource {
    client: Client,
    history: History,
    watched: WatchReader,
    writer: Writer,
    own: OwnClient,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    calls: VecDeque<Timestamp>,
    /// Hooks that are on a field: the app of their items does not list them.
    on_field: HashSet<u64>,
    /// Hooks whose last gap was intended, and when that became known.
    quiet: HashMap<u64, Timestamp>,
}

impl EvidenceSource {
    pub(super) fn new(
        client: Client,
        history: History,
        watched: WatchReader,
        writer: Writer,
        own: OwnClient,
    ) -> Self {
        Self {
            client,
            history,
            watched,
            writer,
            own,
            memory: Arc::default(),
        }
    }

    /// Returns whether Podio can be asked at all.
    pub(super) fn can_ask(&self) -> bool {
        self.client.has_credentials()
    }

    pub(super) async fn answer(
        &self,
        question: Question,
    ) -> Result<AnsweredQuestion, HistoryError> {
        Ok(match question {
            Question::Loop(suspicion) => {
                let statement = self.who_made(&suspicion.finding).await?;
                AnsweredQuestion::Loop(suspicion, statement)
            }
            Question::Gap(gap) => {
                let nothing = self.is_nothing(gap).await?;
                AnsweredQuestion::Gap(gap, nothing)
            }
        })
    }

    /// Returns who made the newest change of a loop.
    async fn who_made(&self, finding: &LoopFinding) -> Result<Statement, HistoryError> {
        use EventType as E;
        let Some(event) = self.history.event(finding.event).await? else {
            return Ok(Statement::unknown_maker("the event was deleted"));
        };
        let (Some(podio), Ok(kind)) = (event.podio, finding.event_type.parse::<EventType>()) else {
            return Ok(Statement::unknown_maker("its type is not known"));
        };
        if let Err(reason) = self.may_call().await {
            return Ok(Statement::unknown_maker(reason));
        }
        let id = finding.object.id;
        let made = match kind {
            E::ItemCreate | E::ItemUpdate => {
                let revision = podio.revision().unwrap_or(0);
                let made = self.client.item_revision(id, revision).await;
                made.map(|made| (made.created_by, made.created_via))
            }
            E::CommentCreate if let Some(comment_id) = podio.id("comment_id") => {
                let made = self.client.comment(comment_id).await;
                made.map(|made| (made.created_by, made.created_via))
            }
            E::FileChange if let Some(file_id) = first_file(podio.param("file_ids")) => {
                let made = self.client.file(file_id).await;
                made.map(|made| (made.created_by, made.created_via))
            }
            E::TaskCreate => {
                let made = self.client.task(id).await;
                made.map(|made| (made.created_by, None))
            }
            _ => {
                return Ok(Statement::unknown_maker(format!(
                    "Podio does not report who causes {kind}"
                )));
            }
        };
        self.to_statement(made).await
    }

    async fn to_statement(
        &self,
        made: Result<(Option<ByLine>, Option<Via>), Error>,
    ) -> Result<Statement, HistoryError> {
        Ok(match made {
            Err(error) => Statement::unknown_maker(reason::of_podio(&error)),
            Ok((None, None)) => Statement::unknown_maker("Podio does not say"),
            Ok((by, via)) => {
                self.learn_own_vias().await?;
                let maker = self.own.judge(by.as_ref(), via.as_ref());
                let by_hand = via.as_ref().is_some_and(Via::is_podio_itself);
                Statement { maker, by_hand }
            }
        })
    }

    /// Returns whether missing revisions need no attention: the hook is on a field and reports only
    /// some of them, or an API client wrote them, most likely with `hook=false`. A change by hand
    /// fires every hook of the app, so its absence must be reported.
    async fn is_nothing(&self, gap: RevisionGap) -> Result<bool, HistoryError> {
        let now = Timestamp::now();
        if let Some(hook_id) = gap.hook_id {
            let memory = self.memory.lock().await;
            let believed = memory.quiet.get(&hook_id);
            if memory.on_field.contains(&hook_id)
                || believed.is_some_and(|since| now.duration_since(*since) < BELIEVED)
            {
                return Ok(true);
            }
        }
        if let (Some(hook_id), false) = (gap.hook_id, gap.on_app)
            && self.is_on_field(hook_id, gap.item_id).await?
        {
            return Ok(true);
        }
        if self.may_call().await.is_err() {
            return Ok(false);
        }
        let made = self.client.item_revision(gap.item_id, gap.revision).await;
        let made = made.map(|made| (made.created_by, made.created_via));
        let statement = self.to_statement(made).await?;
        let by_a_client = !statement.by_hand && !matches!(statement.maker, Maker::Unknown { .. });
        if let (true, Some(hook_id)) = (by_a_client, gap.hook_id) {
            let mut memory = self.memory.lock().await;
            if memory.quiet.len() >= MAX_BELIEFS {
                memory.quiet.clear();
            }
            memory.quiet.insert(hook_id, now);
        }
        Ok(by_a_client)
    }

    /// Returns whether the hook is missing in the list of the item's
    /// app: then it is on one of the app's fields, since no other hooks
    /// fire on items. The place of a hook that is on the app is stored.
    async fn is_on_field(&self, hook_id: u64, item_id: u64) -> Result<bool, HistoryError> {
        if self.may_call().await.is_err() {
            return Ok(false);
        }
        let app = self.client.item(item_id).await.ok();
        let app = app.and_then(|item| item.app);
        let Some((app_id, name)) = app.and_then(|app| Some((app.app_id?, app.name))) else {
            return Ok(false);
        };
        if self.may_call().await.is_err() {
            return Ok(false);
        }
        let Ok(hooks) = self.client.hooks(RefType::App, app_id).await else {
            return Ok(false);
        };
        if hooks.iter().any(|hook| hook.hook_id == hook_id) {
            let place = Place {
                at: PlaceRef::app(app_id),
                name: Some(name).filter(|name| !name.is_empty()),
            };
            let learned = Fact::Learned { hook_id, place };
            self.writer.add_facts(vec![learned]).await?;
            return Ok(false);
        }
        let mut memory = self.memory.lock().await;
        if memory.on_field.len() >= MAX_BELIEFS {
            memory.on_field.clear();
        }
        memory.on_field.insert(hook_id);
        Ok(true)
    }

    /// Learns the API clients that created our own hooks, as Podio numbers them.
    async fn learn_own_vias(&self) -> Result<(), HistoryError> {
        if self.own.is_learned() {
            return Ok(());
        }
        let made = self.watched.made_hooks().await?;
        let newest = made.iter().rev().find(|made| made.hook_id.is_some());
        let Some(newest) = newest else {
            return Ok(());
        };
        if self.may_call().await.is_err() {
            return Ok(());
        }
        let at = newest.place;
        let Ok(hooks) = self.client.hooks(at.ref_type, at.ref_id).await else {
            return Ok(());
        };
        let ours: HashSet<u64> = made.iter().filter_map(|made| made.hook_id).collect();
        let ours = hooks
            .into_iter()
            .filter(|hook| ours.contains(&hook.hook_id));
        self.own
            .learn(ours.filter_map(|hook| hook.created_via).collect());
        Ok(())
    }

    /// Counts a call, or returns why no call is possible.
    async fn may_call(&self) -> Result<(), String> {
        if !self.can_ask() {
            return Err("no credentials are set, so Podio cannot be asked".to_owned());
        }
        if let Some(rate) = near_limit(&self.client) {
            return Err(format!(
                "{} of {} calls are left this hour and are reserved for hooks",
                rate.remaining, rate.limit
            ));
        }
        let now = Timestamp::now();
        let mut memory = self.memory.lock().await;
        while memory
            .calls
            .front()
            .is_some_and(|oldest| now.duration_since(*oldest) >= HOUR)
        {
            memory.calls.pop_front();
        }
        if memory.calls.len() >= CALLS_PER_HOUR {
            return Err(format!("the limit is {CALLS_PER_HOUR} questions per hour"));
        }
        memory.calls.push_back(now);
        Ok(())
    }
}

/// Returns the gap below an event, if Podio can be asked about it.
pub(super) fn gap(arrival: &crate::history::Arrival) -> Option<RevisionGap> {
    let (
        ObjectRef {
            kind: ObjectKind::Item,
            id,
        },
        revision,
    ) = (arrival.object?, arrival.revision?)
    else {
        return None;
    };
    let is_first = arrival.earlier.is_none() && !arrival.on_field;
    let skipped = revision.checked_sub(1)?;
    (is_first && arrival.below.is_some_and(|below| below < skipped)).then_some(RevisionGap {
        above: arrival.event,
        item_id: id,
        revision: skipped,
        hook_id: arrival.hook_id,
        on_app: arrival.known_hook,
    })
}

fn first_file(ids: Option<&str>) -> Option<u64> {
    ids?.split(',').next()?.trim().parse().ok()
}
