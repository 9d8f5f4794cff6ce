//! What the history keeps: events and their attempts, as readers see them.

use std::time::Duration;

use jiff::Timestamp;
use podtap_podio::{EventKind, EventType, PodioEvent};
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};

use super::insight::{HoldReason, Insight};
use super::position::Position;

/// The [`Event::seq`] of one that the relay did not store, but held for the local service's answer:
/// those of a queue count from one.
pub const PASSED_THROUGH: Seq = Seq(0);

/// A stored webhook, whole.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its place in the history.
    pub position: Position,
    pub id: EventId,
    /// Its place in the relay's queue, or [`PASSED_THROUGH`]; `None` where it came from elsewhere
    /// (trigger, import).
    pub seq: Option<Seq>,
    /// The request as it came in.
    pub request: WebhookRequest,
    /// What it says, where it is a Podio event.
    pub podio: Option<PodioEvent>,
    /// Where it stands.
    pub state: DeliveryState,
    /// What was found out about it.
    pub insight: Insight,
    /// What a person wrote on it.
    pub note: Option<String>,
}

impl Event {
    /// Its place in the relay's queue, where it has one.
    pub fn place_in_queue(&self) -> Option<Seq> {
        self.seq.filter(|seq| *seq != PASSED_THROUGH)
    }

    /// Whether Podio asks the receiver to confirm the hook.
    pub fn is_hook_verify(&self) -> bool {
        let kind = self.podio.as_ref().map(|podio| &podio.kind);
        kind == Some(&EventKind::Known(EventType::HookVerify))
    }
}

/// A stored webhook as a list shows it: without headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the history.
    pub position: Position,
    pub id: EventId,
    /// When the relay accepted it.
    pub received_at: Timestamp,
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Podio's event type, such as `item.update`; `None` where it is no Podio event.
    pub event_type: Option<String>,
    /// What it is about, such as `item 4711`; `None` where it names nothing.
    pub object: Option<podtap_podio::ObjectRef>,
    /// `item_revision_id`, where there is one.
    pub revision: Option<u64>,
    /// The hook that fired, where it says so.
    pub hook_id: Option<u64>,
    /// The body's size in bytes.
    pub body_bytes: u64,
    /// Where it stands.
    pub state: DeliveryState,
    /// The last attempt that ended; `None` before the first.
    pub last: Option<AttemptSummary>,
    /// How many attempts it has had, replays included.
    pub attempts: u32,
    /// What was found out about it.
    pub insight: Insight,
    /// What a person wrote on it.
    pub note: Option<String>,
    /// The burst for which this row stands, being the newest of it; `None` for an event by itself.
    pub burst: Option<Burst>,
}

impl EventRow {
    /// Whether the event at this place is the row's own, or one of its burst.
    pub fn shows(&self, position: Position) -> bool {
        (self.oldest()..=self.position).contains(&position)
    }

    /// The place of the oldest event for which this row stands: its own, but for a burst.
    pub fn oldest(&self) -> Position {
        self.burst
            .as_ref()
            .map_or(self.position, |burst| burst.first)
    }
}

/// Many events of the same type, of a few hooks, that came one right after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// Its oldest event.
    pub first: Position,
    /// Its newest event so far.
    pub last: Position,
    /// How many they are.
    pub events: u64,
    /// When the oldest was accepted.
    pub since: Timestamp,
    /// When the newest was accepted.
    pub until: Timestamp,
    /// Events whose last attempt was answered with less than 400.
    pub answered: u64,
    /// Events whose last attempt was answered with 400 or more, or not at all.
    pub failed: u64,
    /// The longest of the last attempts; `None` before the first has ended.
    pub slowest: Option<Duration>,
}

impl Burst {
    /// Events a second, from the first to the last.
    pub fn per_second(&self) -> u64 {
        let millis = self.until.duration_since(self.since).as_millis();
        let millis = u64::try_from(millis).unwrap_or(0).max(1_000);
        self.events.saturating_mul(1_000) / millis
    }
}

/// Where an event stands on its way to the local service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Not yet offered to the local service.
    Pending,
    /// An attempt has ended, whatever the answer.
    Delivered,
    /// Kept without being delivered: there is no local service, or it was held back.
    Held,
}

impl DeliveryState {
    /// What an event without an attempt is called, wherever it is shown: a sign and one word.
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
    /// The status, or why there is none.
    pub outcome: Result<u16, String>,
    /// From start to the end of the answer.
    pub duration: Duration,
    /// Whether it was a replay.
    pub replay: bool,
}

/// One try to deliver an event, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub event: EventId,
    /// Counts from 1, per event, replays included; given when it is stored.
    pub number: u32,
    /// Whether somebody asked for it.
    pub replay: bool,
    /// Whether another history had it: what its URL says is not this agent's to follow.
    pub imported: bool,
    /// The URL it went to.
    pub url: String,
    /// Which of the targets it went to, as a route names it; `None` of one that was made before
    /// there were several, or elsewhere.
    pub target: Option<String>,
    /// What was sent instead of the event itself; `None` for the event as it came.
    pub edited: Option<EditedRequest>,
    /// When it began.
    pub started_at: Timestamp,
    /// From start to the end of the answer, or to the error.
    pub duration: Duration,
    /// What came of it.
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
    /// Whether another one is worse news: no answer, or a higher status.
    pub fn is_better_than(&self, other: &Self) -> bool {
        let badness = |outcome: &Self| match outcome {
            Self::Answered { status, .. } => u32::from(*status),
            Self::Failed { .. } => u32::MAX,
        };
        badness(self) < badness(other)
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The local service answered.
    Answered {
        status: u16,
        headers: HeaderList,
        /// Its body, up to a limit.
        body: bytes::Bytes,
        /// The body's whole size in bytes.
        body_bytes: u64,
    },
    /// It did not.
    Failed { error: String },
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An event that has just arrived.
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
