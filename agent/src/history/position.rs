//! An event's place in the history, and what names one event.

use podtap_wire::EventId;

/// An event's place in the history: grows by arrival, never reused, and the key by which the
/// history pages. A relay's `seq` counts per tunnel and is not unique here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub i64);

/// One event: its place and its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EventKey {
    pub(crate) position: Position,
    pub(crate) id: EventId,
}
