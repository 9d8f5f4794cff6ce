//! Reads the timeline of one object: its events in the order of arrival, who made each change
//! through which API client, the answers, and missing revisions. It uses only the history, so the
//! maker is known only for events that were explained or that belong to a found loop.

use std::collections::HashMap;

use podtap_podio::ObjectRef;
use podtap_wire::EventId;

use crate::explain::{ExplainedField, Explainer, RememberedEvent};
use crate::history::{EventRow, History, HistoryError, LoopFinding, Maker};

/// Maximum number of events in one timeline, the newest.
pub const MAX_TIMELINE: usize = 500;

/// What happened to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    pub object: ObjectRef,
    /// Its title, if Podio returned it. Untrusted text: escape it before showing it.
    pub title: Option<String>,
    /// Its app. Untrusted text as well.
    pub app: Option<String>,
    /// The entries, oldest first. At most [`MAX_TIMELINE`] of them are events.
    pub entries: Vec<TimelineEntry>,
    /// Number of older events that are not included.
    pub left_out: u64,
    /// Loops that contain this object, newest first.
    pub loops: Vec<LoopFinding>,
}

/// One entry of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimelineEntry {
    /// An event, with its last answer in `row.last`.
    Event(Box<TimelineEvent>),
    /// Revisions that never arrived: they were lost, or written with `hook=false`.
    Missing {
        /// The first missing revision.
        from: u64,
        /// The last missing revision, inclusive.
        to: u64,
    },
}

/// An event of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEvent {
    /// The event as a list shows it: revision, hook, answer, duplicate.
    pub row: EventRow,
    /// Who made the change; `None` if Podio was not asked.
    /// [`AgentHandle::explain`](crate::AgentHandle::explain) asks.
    pub author: Option<Author>,
    /// The changed fields, if Podio was asked.
    pub changes: Vec<ExplainedField>,
}

/// Who made a change. Names are untrusted text: escape them before showing them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// A person or an app, such as `Ada`.
    pub who: Option<String>,
    /// The API client, such as `Invoicing`.
    pub via: Option<String>,
    /// Whether it is the API client or app whose credentials are used here: then the local service
    /// has most likely caused the event itself. `None` if this is unknown.
    pub own: Option<bool>,
}

/// Reads timelines. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Timelines {
    pub(crate) history: History,
    pub(crate) explainer: Explainer,
}

impl Timelines {
    pub(crate) async fn of(&self, object: ObjectRef) -> Result<Timeline, HistoryError> {
        let (rows, left_out) = self.history.events_of(object, MAX_TIMELINE).await?;
        let mut loops = self.history.loops().await?;
        loops.retain(|finding| finding.objects().contains(&object));
        let remembered = self.explainer.recall_rows(&rows).await?;
        Ok(timeline(object, rows, left_out, loops, remembered))
    }
}

fn timeline(
    object: ObjectRef,
    rows: Vec<EventRow>,
    left_out: u64,
    loops: Vec<LoopFinding>,
    mut remembered: HashMap<EventId, RememberedEvent>,
) -> Timeline {
    let newest = |text: fn(&RememberedEvent) -> &Option<String>| {
        let mut told = rows.iter().rev().filter_map(|row| remembered.get(&row.id));
        told.find_map(|told| text(told).clone())
    };
    let (title, app) = (newest(|told| &told.title), newest(|told| &told.app));
    let mut entries = Vec::new();
    for row in rows {
        entries.extend(missing_entry(&row));
        let told = remembered.remove(&row.id).unwrap_or_default();
        let by_loop = loops.iter().find(|finding| finding.event == row.id);
        entries.push(TimelineEntry::Event(Box::new(TimelineEvent {
            author: author(&told, by_loop),
            changes: told.changes,
            row,
        })));
    }
    Timeline {
        object,
        title,
        app,
        entries,
        left_out,
        loops,
    }
}

fn missing_entry(row: &EventRow) -> Option<TimelineEntry> {
    let (revision, missing) = (row.revision?, row.insight.missing);
    (missing > 0).then(|| TimelineEntry::Missing {
        from: revision.saturating_sub(missing),
        to: revision.saturating_sub(1),
    })
}

/// Returns the maker from the explanation, or else from the evidence of a loop.
fn author(told: &RememberedEvent, finding: Option<&LoopFinding>) -> Option<Author> {
    let (by_loop, own) = match finding.map(|finding| &finding.maker) {
        Some(Maker::Own { by }) => (Some(by), Some(true)),
        Some(Maker::Other { by }) => (Some(by), Some(false)),
        Some(Maker::Unknown { .. }) | None => (None, None),
    };
    if told.who.is_some() || told.via.is_some() {
        return Some(Author {
            who: told.who.clone(),
            via: told.via.clone(),
            own: own.or(told.own),
        });
    }
    let (who, via) = match by_loop?.rsplit_once(" through ") {
        Some((who, via)) => (who, Some(via.to_owned())),
        None => (by_loop?.as_str(), None),
    };
    Some(Author {
        who: Some(who.to_owned()),
        via,
        own,
    })
}
