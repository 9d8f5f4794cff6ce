//! Derives ids for events without one, and reads the time in an id. Pure.

use jiff::Timestamp;
use podtap_wire::{EventId, WebhookRequest};
use sha2::{Digest, Sha256};

/// Returns the id of a request that has none: the same for the same request at the same time.
pub(super) fn derive_id(started_at: Timestamp, url: &str, request: &WebhookRequest) -> EventId {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(&started_at.as_nanosecond().to_be_bytes());
    for text in [&*request.method, url] {
        part(text.as_bytes());
    }
    for (name, value) in request.headers.iter() {
        part(name.as_bytes());
        part(value);
    }
    part(&request.body);
    let digest = hash.finalize();
    let random = digest
        .iter()
        .take(16)
        .fold(0, |all, byte| (all << 8) | u128::from(*byte));
    EventId::from_parts(request.received_at, random)
}

/// Returns the time of an event without one: that of its
/// id, or the epoch, so that a second import recognizes it.
pub(super) fn time_of(id: Option<EventId>) -> Timestamp {
    let millis = id.map(|id| {
        let bytes = id.to_bytes();
        bytes
            .iter()
            .take(6)
            .fold(0, |all, byte| (all << 8) | i64::from(*byte))
    });
    let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    time.unwrap_or(Timestamp::UNIX_EPOCH)
}
