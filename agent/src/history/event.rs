//! Events and their attempts, as the history returns them.

use std::time::Duration;

use jiff::Timestamp;
use podtap_podio::{EventKind, EventType, PodioEvent};
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};

use super::insight::{HoldReason, Insight};
use super::position::Position;

/// The [`Event::seq`] of an event that the relay did not queue, because it held the request for the
/// local service's answer. The numbers of a queue start at one.
pub const PASSED_THROUGH: Seq = Seq(0);

/// A stored webhook with headers and body.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its position in the history.
    pub position: Position,
    pub id: EventId,
    /// Its number in the relay's queue, or [`PASSED_THROUGH`];
    /// `None` if it came from a trigger or an import.
    pub seq: Option<Seq>,
    /// The request as it arrived.
    pub request: WebhookRequest,
    /// Its parameters, if it is an event of Podio.
    pub podio: Option<PodioEvent>,
    /// State of its delivery.
    pub state: DeliveryState,
    /// What the agent found out about it.
    pub insight: Insight,
    /// The note that a person wrote on it.
    pub note: Option<String>,
}

impl Event {
    /// Returns its number in the relay's queue, if it has one.
    pub fn place_in_queue(&self) -> Option<Seq> {
        self.seq.filter(|seq| *seq != PASSED_THROUGH)
    }

    /// Returns whether Podio asks the receiver to confirm the hook.
    pub fn is_hook_verify(&self) -> bool {
        let kind = self.podio.as_ref().map(|podio| &podio.kind);
        kind == Some(&EventKind::Known(EventType::HookVerify))
    }
}

/// A stored webhook as a list shows it, without headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its position in the history.
    pub position: Position,
    pub id: EventId,
    /// When the relay accepted it.
    pub received_at: Timestamp,
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Podio's event type, such as `item.update`; `None` if it is not an event of Podio.
    pub event_type: Option<String>,
    /// The object of the event, such as `item 4711`; `None` if the event names none.
    pub object: Option<podtap_podio::ObjectRef>,
    /// `item_revision_id`, if the event has one.
    pub revision: Option<u64>,
    /// The hook that fired, if the event names it.
    pub hook_id: Option<u64>,
    /// The body's size in bytes.
    pub body_bytes: u64,
    /// State of its delivery.
    pub state: DeliveryState,
    /// The last attempt that ended; `None` before the first one.
    pub last: Option<AttemptSummary>,
    /// Number of its attempts, replays included.
    pub attempts: u32,
    /// What the agent found out about it.
    pub insight: Insight,
    /// The note that a person wrote on it.
    pub note: Option<String>,
    /// The burst that this row represents as its newest event; `None` for a single event.
    pub burst: Option<Burst>,
}

impl EventRow {
    /// Returns whether the event at this position is the row's own or part of its burst.
    pub fn shows(&self, position: Position) -> bool {
        (self.oldest()..=self.position).contains(&position)
    }

    /// Returns the attempt that shows the outcome of the event, or `None` while the event waits.
    /// Neither a replay nor the good answer of one of several targets ends the wait.
    pub fn outcome(&self) -> Option<&AttemptSummary> {
        let last = self.last.as_ref()?;
        let is_bad = last.outcome.as_ref().map_or(true, |status| *status >= 400);
        let tells = self.state != DeliveryState::Pending || (is_bad && !last.replay);
        tells.then_some(last)
    }

    /// Returns the position of the oldest event that this
    /// row represents: its own, or the first of its burst.
    pub fn oldest(&self) -> Position {
        self.burst
            .as_ref()
            .map_or(self.position, |burst| burst.first)
    }
}

/// Many events of the same type from a few hooks, one right after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// Its oldest event.
    pub first: Position,
    /// Its newest event so far.
    pub last: Position,
    /// Number of its events.
    pub events: u64,
    /// When the oldest was accepted.
    pub since: Timestamp,
    /// When the newest was accepted.
    pub until: Timestamp,
    /// Number of events whose last attempt was answered with a status below 400.
    pub answered: u64,
    /// Number of events whose last attempt was answered with 400 or more, or not at all.
    pub failed: u64,
    /// Duration of the longest of the last attempts; `None` before the first has ended.
    pub slowest: Option<Duration>,
}

impl Burst {
    /// Returns the events per second, from the first to the last.
    pub fn per_second(&self) -> u64 {
        let millis = self.until.duration_since(self.since).as_millis();
        let millis = u64::try_from(millis).unwrap_or(0).max(1_000);
        self.events.saturating_mul(1_000) / millis
    }
}

/// The state of an event on its way to the local service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Not yet offered to the local service.
    Pending,
    /// An attempt has ended, with any answer.
    Delivered,
    /// Stored without being delivered: there is no local service, or the event was held back.
    Held,
}

impl DeliveryState {
    /// Returns the sign and word that every view shows for an event without an attempt.
    pub fn word(self, hold: Option<HoldReason>) -> &'static str {
        match (self, hold) {
            (Self::Held, Some(HoldReason::Loop)) => "◦ loop",
            (Self::Held, Some(HoldReason::Verify)) => "… verifying",
            (Self::Held, Some(HoldReason::NoRoute)) => "◦ no route",
            (Self::Held, None) => "◦ held",
            (Self::Pending | Self::Delivered, _) => "… waiting",
        }
    }
}

/// The outcome of an attempt as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptSummary {
    /// The status, or the reason why there is none.
    pub outcome: Result<u16, String>,
    /// Time from the start to the end of the answer.
    pub duration: Duration,
    /// Whether it was a replay.
    pub replay: bool,
}

/// One try to deliver an event, with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub event: EventId,
    /// Number from 1, per event, replays included; assigned when it is stored.
    pub number: u32,
    /// Whether a person asked for it.
    pub replay: bool,
    /// Whether it was imported from another history: this agent must not follow its URL.
    pub imported: bool,
    /// The URL to which the event was sent.
    pub url: String,
    /// Name of the target in the routes; `None` if the attempt was
    /// made before several targets were possible, or elsewhere.
    pub target: Option<String>,
    /// The request that was sent instead of the event; `None` if the event was sent unchanged.
    pub edited: Option<EditedRequest>,
    /// Time at which it began.
    pub started_at: Timestamp,
    /// Time from the start to the end of the answer, or to the error.
    pub duration: Duration,
    pub outcome: Outcome,
}

/// A request that a person changed before it was replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedRequest {
    pub method: String,
    /// Path with query.
    pub path: String,
    pub headers: HeaderList,
    pub body: bytes::Bytes,
}

impl Outcome {
    /// Returns whether `other` is worse: no answer, or a higher status.
    pub fn is_better_than(&self, other: &Self) -> bool {
        let badness = |outcome: &Self| match outcome {
            Self::Answered { status, .. } => u32::from(*status),
            Self::Failed { .. } => u32::MAX,
        };
        badness(self) < badness(other)
    }
}

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The local service answered.
    Answered {
        status: u16,
        headers: HeaderList,
        /// The answer's body, up to a limit.
        body: bytes::Bytes,
        /// Size of the whole body in bytes.
        body_bytes: u64,
    },
    /// The local service did not answer.
    Failed { error: String },
}

/// An event that a filter found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundEvent {
    pub position: Position,
    pub id: EventId,
    pub received_at: Timestamp,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns an event that has just arrived.
    pub(crate) fn fresh_event(path: &str, body: &'static str) -> Event {
        Event {
            position: Position(1),
            id: EventId::from_bytes([0; 16]),
            seq: None,
            request: WebhookRequest {
                received_at: Timestamp::UNIX_EPOCH,
                method: "POST".to_owned(),
                path: path.to_owned(),
                headers: HeaderList::default(),
                peer: None,
                body: body.into(),
            },
            podio: podtap_podio::decode(None, body.as_bytes()).ok(),
            state: DeliveryState::Pending,
            insight: Insight::default(),
            note: None,
        }
    }
}
