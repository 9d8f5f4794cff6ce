//! How far delivery reads ahead: a local service that is away must not fill the memory with events
//! that are safe in the history. Pure.

use crate::history::Event;

/// Events read ahead of their delivery.
const MAX_EVENTS: usize = 1024;

/// Bytes of events read ahead of their delivery; one read may go beyond it.
pub(super) const MAX_BYTES: usize = 24 * 1024 * 1024;

/// What one event takes besides its texts and its body.
const EVENT_BYTES: usize = 512;

/// The events that were read and are not done.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    events: usize,
    bytes: usize,
}

impl ReadAhead {
    /// Whether more may be read.
    pub(super) fn has_room(&self) -> bool {
        self.events < MAX_EVENTS && self.bytes < MAX_BYTES
    }

    /// An event of this size was read.
    pub(super) fn add(&mut self, size: usize) {
        self.events += 1;
        self.bytes += size;
    }

    /// An event of this size is done.
    pub(super) fn remove(&mut self, size: usize) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
    }
}

/// What an event takes in memory, about.
pub(super) fn size(event: &Event) -> usize {
    let request = &event.request;
    let decoded = event.podio.iter().flat_map(|podio| &podio.params);
    let decoded: usize = decoded.map(|(name, value)| name.len() + value.len()).sum();
    EVENT_BYTES + request.body.len() + request.headers.bytes() + request.path.len() + decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_at_so_many_events_or_bytes_whichever_come_first() {
        for (size, most) in [(600, MAX_EVENTS), (8 * 1024 * 1024, 3), (1, MAX_EVENTS)] {
            let mut ahead = ReadAhead::default();
            let mut read = 0;
            while ahead.has_room() {
                ahead.add(size);
                read += 1;
            }
            assert_eq!(read, most, "{size}");
            ahead.remove(size);
            assert!(ahead.has_room());
        }
    }
}
