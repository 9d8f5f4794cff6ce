//! Sample events for the tests of the detectors.

use jiff::Timestamp;
use podtap_podio::{ObjectKind, ObjectRef};
use podtap_wire::EventId;

use crate::history::{Arrival, EventKey, Position};

/// Returns the key of the event at this position.
pub(super) fn key(position: i64) -> EventKey {
    EventKey {
        position: Position(position),
        id: EventId::from_bytes([0; 16]),
    }
}

/// Returns an event of hook 7 about an item, `millis` milliseconds after the start of the tests.
pub(super) fn arrival(
    event_type: &str,
    item: u64,
    revision: u64,
    position: i64,
    millis: i64,
) -> Arrival {
    Arrival {
        event: key(position),
        relayed: true,
        repaired: false,
        received_at: Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap(),
        event_type: Some(event_type.to_owned()),
        object: Some(ObjectRef {
            kind: ObjectKind::Item,
            id: item,
        }),
        hook_id: Some(7),
        revision: Some(revision),
        posted: true,
        code: None,
        verification: None,
        earlier: None,
        known_hook: true,
        on_field: false,
        below: None,
        above: None,
        newer: None,
    }
}
