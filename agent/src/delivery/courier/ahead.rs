//! Limits how far delivery reads ahead: while the local service is unreachable, events that are
//! safe in the history must not fill the memory. Pure.

use crate::history::Event;

/// Maximum number of events that are read ahead of their delivery.
const MAX_EVENTS: usize = 1024;

/// Maximum bytes of events that are read ahead of their delivery; one read may exceed it.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Memory of one event in bytes, in addition to its headers and body.
const EVENT_BYTES: usize = 512;

/// Maximum length of an id in bytes: 64 bits have at most 20 digits, and zeros may precede them.
const ID_BYTES: usize = 32;

/// The number and size of events that were read and are not done.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    events: usize,
    bytes: usize,
}

impl ReadAhead {
    /// Returns whether more events may be read.
    pub(super) fn has_room(&self) -> bool {
        self.events < MAX_EVENTS && self.bytes < MAX_BYTES
    }

    /// Counts an event of this size that was read.
    pub(super) fn add(&mut self, size: usize) {
        self.events += 1;
        self.bytes += size;
    }

    /// Subtracts an event of this size that is done.
    pub(super) fn remove(&mut self, size: usize) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
    }
}

/// Removes long parameters from an event and returns about how many bytes it takes in memory. Of
/// its parameters only ids are kept, because delivery uses nothing else.
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
