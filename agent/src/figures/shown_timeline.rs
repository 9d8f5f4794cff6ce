//! Serializes what happened to one object.

use serde::Serialize;

use super::timeline::{Timeline, TimelineEntry, TimelineEvent};
use crate::export::shown::ShownRow;
use crate::history::LoopFinding;

/// The timeline of one object.
#[derive(Debug, Serialize)]
pub struct ShownTimeline<'a> {
    object: String,
    title: Option<&'a str>,
    app: Option<&'a str>,
    /// Newest first.
    entries: Vec<ShownEntry<'a>>,
    /// Number of older events that are not included.
    left_out: u64,
    loops: Vec<ShownLoop<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ShownEntry<'a> {
    Event(Box<ShownStep<'a>>),
    /// Revisions that did not arrive.
    Missing {
        from: u64,
        to: u64,
    },
}

#[derive(Debug, Serialize)]
struct ShownStep<'a> {
    #[serde(flatten)]
    row: ShownRow<'a>,
    who: Option<&'a str>,
    via: Option<&'a str>,
    /// Whether the change was made through the API client whose credentials are used here.
    own: Option<bool>,
    changes: Vec<(&'a str, &'a str, &'a str)>,
}

#[derive(Debug, Serialize)]
struct ShownLoop<'a> {
    times: usize,
    seconds: i64,
    is_suspected: bool,
    event_type: &'a str,
}

impl<'a> From<&'a Timeline> for ShownTimeline<'a> {
    fn from(timeline: &'a Timeline) -> Self {
        let entries = timeline.entries.iter().rev();
        Self {
            object: timeline.object.to_string(),
            title: timeline.title.as_deref(),
            app: timeline.app.as_deref(),
            entries: entries.map(ShownEntry::from).collect(),
            left_out: timeline.left_out,
            loops: timeline.loops.iter().map(ShownLoop::from).collect(),
        }
    }
}

impl<'a> From<&'a TimelineEntry> for ShownEntry<'a> {
    fn from(entry: &'a TimelineEntry) -> Self {
        match entry {
            TimelineEntry::Event(event) => Self::Event(Box::new(ShownStep::from(&**event))),
            TimelineEntry::Missing { from, to } => Self::Missing {
                from: *from,
                to: *to,
            },
        }
    }
}

impl<'a> From<&'a TimelineEvent> for ShownStep<'a> {
    fn from(event: &'a TimelineEvent) -> Self {
        let author = event.author.as_ref();
        let changes = event.changes.iter();
        Self {
            row: ShownRow::new(&event.row, None),
            who: author.and_then(|author| author.who.as_deref()),
            via: author.and_then(|author| author.via.as_deref()),
            own: author.and_then(|author| author.own),
            changes: changes
                .map(|change| (&*change.field, &*change.from, &*change.to))
                .collect(),
        }
    }
}

impl<'a> From<&'a LoopFinding> for ShownLoop<'a> {
    fn from(finding: &'a LoopFinding) -> Self {
        Self {
            times: finding.times.len(),
            seconds: finding.span().as_secs(),
            is_suspected: finding.is_suspected(),
            event_type: &finding.event_type,
        }
    }
}
