//! The position of an event in the history, and the key of one event.

use podtap_wire::EventId;

/// An event's position in the history. Positions grow in the order of
/// arrival, are never reused, and are the key of the history's pages.
/// A relay's `seq` is numbered per tunnel and is not unique here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub i64);

/// One event: its position and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EventKey {
    pub(crate) position: Position,
    pub(crate) id: EventId,
}
