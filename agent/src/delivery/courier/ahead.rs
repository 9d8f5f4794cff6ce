//! How far delivery reads ahead: a local service that is away must not fill the memory with events
//! that are safe in the history. Pure.

use crate::history::Event;

/// Events read ahead of their delivery.
const MAX_EVENTS: usize = 1024;

/// Bytes of events read ahead of their delivery; one read may go beyond it.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What one event takes besides its headers and its body.
const EVENT_BYTES: usize = 512;

/// Bytes of the longest id: 64 bits have at most 20 digits, and zeros may precede them.
const ID_BYTES: usize = 32;

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

/// What an event takes in memory, about. Of what its body says only ids are kept: nothing else
/// decides over a delivery.
pub(super) fn lighten(event: &mut Event) -> usize {
    if let Some(podio) = &mut event.podio {
        podio.params.retain(|(_, value)| value.len() <= ID_BYTES);
    }
    let request = &event.request;
    EVENT_BYTES + request.body.len() + request.headers.bytes() + request.path.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_at_so_many_events_or_bytes_whichever_come_first() {
        for (size, most) in [(600, MAX_EVENTS), (3 * 1024 * 1024, 3), (1, MAX_EVENTS)] {
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
