//! Groups failed deliveries by their fault.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::HistoryError;
use super::event::EventRow;
use super::fault::DeliveryFault;
use super::filter::{FailureTest, Filter, Test};
use super::page::{self, Anchor, MAX_PAGE, PageQuery};
use super::reading::History;
use super::select::Reach;

/// Maximum number of failed events that are read, newest first.
pub const MAX_FAILURES: usize = 10_000;

/// Maximum number of faults in the result.
const MAX_GROUPS: usize = 200;

/// Maximum number of event types that a group lists.
const MAX_TYPES: usize = 5;

/// Failed deliveries, grouped by fault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failures {
    /// The groups, the fault that happened last first.
    pub groups: Vec<FailureGroup>,
    /// Number of failed events that were read.
    pub looked_at: usize,
    /// Whether there may be older failures or more faults.
    pub is_cut: bool,
}

/// Events whose last delivery failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// The fingerprint, which the filter `failure:` finds.
    pub fingerprint: String,
    /// The status; `None` if there was no answer.
    pub status: Option<u16>,
    /// The error of the newest event, or the most informative line of its answer. Untrusted text.
    pub line: String,
    /// Number of events.
    pub events: u64,
    /// Number of objects of these events.
    pub objects: usize,
    /// Event types, at most five.
    pub types: Vec<String>,
    /// When the oldest was accepted.
    pub first_at: Timestamp,
    /// When the newest was accepted.
    pub last_at: Timestamp,
    pub newest: EventId,
}

impl FailureGroup {
    /// Returns the status, or the error if there was no answer.
    pub fn outcome(&self) -> Result<u16, &str> {
        self.status.ok_or(self.line.as_str())
    }
}

impl History {
    /// Groups by fault the events that match this filter and whose last delivery failed. May take
    /// long; it does not delay the reading of pages.
    pub async fn failures(&self, filter: Filter) -> Result<Failures, HistoryError> {
        self.far
            .read(move |connection| failures(connection, filter))
            .await
    }
}

fn failures(connection: &Connection, filter: Filter) -> rusqlite::Result<Failures> {
    let filter = filter.and(Test::Failure(FailureTest::Any));
    let mut gathered = FailureGroups::default();
    let mut anchor = Anchor::Newest;
    loop {
        let limit = MAX_PAGE.min(MAX_FAILURES - gathered.looked_at);
        let query = PageQuery {
            filter: filter.clone(),
            anchor,
            limit,
        };
        let rows = page::page(connection, &query, Reach::End)?.rows;
        let (count, last) = (rows.len(), rows.last().map(|row| row.position));
        for row in rows {
            let fault = fault(connection, &row)?;
            gathered.add(row, fault);
        }
        match last {
            Some(last) if count == limit && gathered.looked_at < MAX_FAILURES => {
                anchor = Anchor::Before(last);
            }
            _ => return Ok(gathered.into_failures()),
        }
    }
}

/// Returns the fault of an event's last attempt.
fn fault(connection: &Connection, row: &EventRow) -> rusqlite::Result<DeliveryFault> {
    let status = match row.last.as_ref().map(|last| last.outcome.as_ref()) {
        Some(Ok(status)) => *status,
        Some(Err(error)) => return Ok(DeliveryFault::without_answer(error)),
        None => return Ok(DeliveryFault::without_answer("")),
    };
    let answer = connection
        .prepare_cached(
            "SELECT headers, body FROM attempts WHERE position = ? AND status = ? \
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row(params![row.position.0, status], |found| {
            Ok((
                found.get::<_, Option<String>>("headers")?,
                found.get::<_, Option<Vec<u8>>>("body")?,
            ))
        })
        .optional()?;
    let (headers, body) = answer.unwrap_or_default();
    let headers: HeaderList = headers
        .and_then(|headers| serde_json::from_str(&headers).ok())
        .unwrap_or_default();
    Ok(DeliveryFault::with_answer(
        status,
        &headers,
        &body.unwrap_or_default(),
    ))
}

/// The groups while events are added, newest event first.
#[derive(Default)]
struct FailureGroups {
    looked_at: usize,
    places: HashMap<String, usize>,
    groups: Vec<GrowingGroup>,
    is_cut: bool,
}

struct GrowingGroup {
    group: FailureGroup,
    objects: HashSet<podtap_podio::ObjectRef>,
    types: BTreeSet<String>,
}

impl FailureGroups {
    fn add(&mut self, row: EventRow, fault: DeliveryFault) {
        self.looked_at += 1;
        let fingerprint = fault.fingerprint();
        let place = match self.places.get(&fingerprint) {
            Some(place) => *place,
            None if self.groups.len() == MAX_GROUPS => {
                self.is_cut = true;
                return;
            }
            None => {
                let place = self.groups.len();
                self.places.insert(fingerprint.clone(), place);
                self.groups
                    .push(GrowingGroup::new(fingerprint, fault, &row));
                place
            }
        };
        if let Some(growing) = self.groups.get_mut(place) {
            growing.add(row);
        }
    }

    fn into_failures(self) -> Failures {
        let groups = self.groups.into_iter().map(|growing| FailureGroup {
            objects: growing.objects.len(),
            types: growing.types.into_iter().collect(),
            ..growing.group
        });
        Failures {
            groups: groups.collect(),
            looked_at: self.looked_at,
            is_cut: self.is_cut || self.looked_at >= MAX_FAILURES,
        }
    }
}

impl GrowingGroup {
    fn new(fingerprint: String, fault: DeliveryFault, newest: &EventRow) -> Self {
        Self {
            group: FailureGroup {
                fingerprint,
                status: fault.status,
                line: fault.line,
                events: 0,
                objects: 0,
                types: Vec::new(),
                first_at: newest.received_at,
                last_at: newest.received_at,
                newest: newest.id,
            },
            objects: HashSet::new(),
            types: BTreeSet::new(),
        }
    }

    fn add(&mut self, row: EventRow) {
        self.group.events += 1;
        self.group.first_at = self.group.first_at.min(row.received_at);
        self.objects.extend(row.object);
        if let Some(kind) = row.event_type
            && self.types.len() < MAX_TYPES
        {
            self.types.insert(kind);
        }
    }
}
