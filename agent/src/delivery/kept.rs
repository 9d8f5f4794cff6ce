//! Collects the body of an answer: the whole body if it goes back to the sender and there is room
//! for it, else what the history stores.

use bytes::{Bytes, BytesMut};
use podtap_wire::HeaderList;

use super::exchange::{ServiceAnswer, copy_of_first};
use crate::answers::AnswerPermit;

/// The part of a body that has been received.
#[derive(Debug)]
pub(super) struct KeptBody {
    body: BytesMut,
    /// Size of the whole body so far, in bytes.
    bytes: u64,
    /// The memory reserved for the whole body, as long as there is enough.
    room: Option<AnswerPermit>,
    at_most: usize,
}

impl KeptBody {
    /// Creates an empty buffer; without `room`, it keeps at most `at_most` bytes.
    pub(super) fn new(at_most: usize, room: Option<AnswerPermit>) -> Self {
        Self {
            body: BytesMut::new(),
            bytes: 0,
            room,
            at_most,
        }
    }

    /// Returns the size of the whole body so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds received data.
    pub(super) fn add(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        let length = self.body.len() + data.len();
        self.room = self.room.take().and_then(|mut room| {
            let has_room = room.grow(length);
            has_room.then_some(room)
        });
        if self.room.is_some() {
            self.body.extend_from_slice(data);
            return;
        }
        if self.body.len() > self.at_most {
            self.body = BytesMut::from(copy_of_first(&self.body, self.at_most));
        }
        let left = self.at_most.saturating_sub(self.body.len()).min(data.len());
        self.body
            .extend_from_slice(data.get(..left).unwrap_or_default());
    }

    /// Appends another body to this one.
    pub(super) fn append(&mut self, other: Self) {
        // The bytes of it that were not kept are counted, too.
        self.bytes += other.bytes - other.body.len() as u64;
        let Self { body, room, .. } = other;
        drop(room);
        self.add(&body);
    }

    /// Returns the answer with the complete body.
    pub(super) fn answer(self, status: u16, headers: HeaderList) -> ServiceAnswer {
        ServiceAnswer {
            status,
            headers,
            body: Bytes::from(self.body),
            body_bytes: self.bytes,
            room: self.room,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Allowance;

    #[test]
    fn without_room_the_first_bytes_are_kept_and_all_are_counted() {
        let mut kept = KeptBody::new(4, None);
        for data in [&b"abc"[..], b"def", b"ghi"] {
            kept.add(data);
        }
        let mut first = KeptBody::new(4, None);
        first.add(b"12");
        first.append(kept);
        let answer = first.answer(200, HeaderList::default());
        assert_eq!((&answer.body[..], answer.body_bytes), (&b"12ab"[..], 11));
        assert!(answer.room.is_none());
    }

    #[test]
    fn with_room_the_whole_body_is_kept_until_it_is_too_large() {
        let mut kept = KeptBody::new(4, Some(Allowance::default().room()));
        kept.add(b"abcdef");
        let mut more = KeptBody::new(4, Some(Allowance::default().room()));
        more.add(b"ghi");
        kept.append(more);
        assert_eq!((&kept.body[..], kept.bytes()), (&b"abcdefghi"[..], 9));
        kept.add(&vec![0; 64 * 1024 * 1024]);
        assert!(kept.room.is_none());
        assert_eq!(&kept.body[..], b"abcd");
    }
}
