//! Keeps the newest events of each tunnel in memory for the session that follows it, so that events
//! that were just committed need not be read back. Pure. Every event is also in the database.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use podtap_wire::{EventFrame, Seq};

use crate::queue::{ReadLimit, TunnelId};

/// Maximum number of events per tunnel: four full reads of a session.
const MAX_EVENTS: usize = 1024;

/// Maximum number of bytes per tunnel.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// Maximum number of bytes of all tunnels together.
pub(crate) const MAX_TOTAL_BYTES: usize = 32 * 1024 * 1024;

/// Approximate memory of an event beside its own bytes.
const EVENT_BYTES: usize = 256;

/// Size below which a body is copied. Without a copy, a small body would keep the whole
/// read buffer of its connection alive.
const COPIED_BYTES: usize = 16 * 1024;

/// Newest events of all tunnels that a session follows.
#[derive(Debug, Default)]
pub(crate) struct Recents {
    tunnels: HashMap<TunnelId, RecentEvents>,
    bytes: usize,
}

/// Consecutive events of one tunnel.
#[derive(Debug, Default)]
struct RecentEvents {
    events: VecDeque<EventFrame>,
    bytes: usize,
}

impl Recents {
    /// Returns the number of bytes in memory.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the next event of a tunnel that a session follows.
    pub(crate) fn push(&mut self, tunnel: TunnelId, event: EventFrame) {
        let recent = self.tunnels.entry(tunnel).or_default();
        let before = recent.bytes;
        recent.push(event, MAX_TOTAL_BYTES.saturating_sub(self.bytes));
        self.bytes = self.bytes - before + recent.bytes;
    }

    /// Removes and returns a tunnel's events after `after`; see [`RecentEvents::take_after`].
    pub(crate) fn take_after(
        &mut self,
        tunnel: TunnelId,
        after: Seq,
        at_most: ReadLimit,
    ) -> Option<Vec<EventFrame>> {
        let recent = self.tunnels.get_mut(&tunnel)?;
        let before = recent.bytes;
        let taken = recent.take_after(after, at_most);
        self.bytes -= before - recent.bytes;
        taken
    }

    /// Drops the events of a tunnel up to `through`, which were removed from the queue.
    pub(crate) fn forget(&mut self, tunnel: TunnelId, through: Seq) {
        if let Some(recent) = self.tunnels.get_mut(&tunnel) {
            let before = recent.bytes;
            recent.forget(through);
            self.bytes -= before - recent.bytes;
        }
    }

    /// Drops all events of a tunnel, because no session follows it any more.
    pub(crate) fn remove(&mut self, tunnel: TunnelId) {
        let recent = self.tunnels.remove(&tunnel);
        self.bytes -= recent.map_or(0, |recent| recent.bytes);
    }

    /// Drops all events.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl RecentEvents {
    /// Adds the next event, and drops the oldest ones to make room for it. If the event does
    /// not fit into the tunnel's limits or into `left`, the rest of the total limit, all events
    /// are dropped.
    fn push(&mut self, mut event: EventFrame, left: usize) {
        let newest = self.events.back();
        if newest.is_some_and(|newest| newest.seq.0 + 1 != event.seq.0) {
            self.clear();
        }
        let bytes = bytes_of(&event);
        let most = MAX_BYTES.min(self.bytes + left);
        while self.events.len() >= MAX_EVENTS || self.bytes + bytes > most {
            if !self.drop_oldest() {
                return;
            }
        }
        let body = &mut event.request.body;
        if body.len() < COPIED_BYTES {
            *body = Bytes::copy_from_slice(body);
        }
        self.bytes += bytes;
        self.events.push_back(event);
    }

    /// Removes and returns the events after `after`, as many as the limit allows and at least
    /// one. Returns `None` if the next event is not in memory.
    fn take_after(&mut self, after: Seq, at_most: ReadLimit) -> Option<Vec<EventFrame>> {
        self.forget(after);
        if self.events.front()?.seq.0 != after.0 + 1 {
            return None;
        }
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while taken.len() < at_most.events.max(1)
            && bytes < at_most.bytes.max(1)
            && let Some(event) = self.events.pop_front()
        {
            bytes += event.request.footprint();
            taken.push(event);
        }
        self.bytes -= taken.iter().map(bytes_of).sum::<usize>();
        Some(taken)
    }

    /// Drops the events up to `through`, which a session has passed or which were removed.
    fn forget(&mut self, through: Seq) {
        while self
            .events
            .front()
            .is_some_and(|event| event.seq <= through)
        {
            self.drop_oldest();
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.events.pop_front();
        self.bytes -= oldest.as_ref().map_or(0, bytes_of);
        oldest.is_some()
    }
}

fn bytes_of(event: &EventFrame) -> usize {
    event.request.footprint() + EVENT_BYTES
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;
    use podtap_wire::{EventId, HeaderList, WebhookRequest};
    use proptest::prelude::*;

    use super::*;

    /// Returns an event with a body of this size.
    pub(crate) fn event(seq: u64, body: usize) -> EventFrame {
        let received_at = Timestamp::UNIX_EPOCH;
        EventFrame {
            seq: Seq(seq),
            id: EventId::generate(received_at).unwrap(),
            request: WebhookRequest {
                received_at,
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: HeaderList::default(),
                peer: None,
                body: vec![0; body].into(),
            },
        }
    }

    fn take_after(
        recent: &mut RecentEvents,
        after: u64,
        events: usize,
        bytes: usize,
    ) -> Option<Vec<u64>> {
        let taken = recent.take_after(Seq(after), ReadLimit { events, bytes })?;
        Some(taken.iter().map(|event| event.seq.0).collect())
    }

    const FREE: usize = MAX_TOTAL_BYTES;

    #[test]
    fn what_follows_the_cursor_is_taken_and_anything_else_is_the_databases() {
        let mut recent = RecentEvents::default();
        for seq in 5..10 {
            recent.push(event(seq, 100), FREE);
        }
        assert_eq!(take_after(&mut recent, 3, 9, 9999), None, "4 is not here");
        assert_eq!(take_after(&mut recent, 4, 2, 9999), Some(vec![5, 6]));
        assert_eq!(take_after(&mut recent, 4, 2, 9999), None, "5 was taken");
        assert_eq!(
            take_after(&mut recent, 7, 9, 1),
            Some(vec![8]),
            "one at least"
        );
        assert_eq!(take_after(&mut recent, 8, 9, 9999), Some(vec![9]));
        assert_eq!(take_after(&mut recent, 9, 9, 9999), None);
        assert_eq!(recent.bytes, 0);
    }

    #[test]
    fn a_hole_between_two_events_is_never_jumped_over() {
        let mut recent = RecentEvents::default();
        recent.push(event(1, 1), FREE);
        recent.push(event(3, 1), FREE);
        assert_eq!(take_after(&mut recent, 0, 9, 9999), None);
        assert_eq!(take_after(&mut recent, 2, 9, 9999), Some(vec![3]));
    }

    #[test]
    fn the_oldest_go_at_each_limit() {
        let mut recent = RecentEvents::default();
        let most = u64::try_from(MAX_EVENTS).unwrap();
        for seq in 1..=most + 1 {
            recent.push(event(seq, 0), FREE);
        }
        assert_eq!(take_after(&mut recent, 0, 1, 1), None, "beyond the events");
        assert_eq!(take_after(&mut recent, 1, 1, 1), Some(vec![2]));

        recent.push(event(most + 2, MAX_BYTES - 10_000), FREE);
        assert!(recent.bytes <= MAX_BYTES);
        recent.push(event(most + 3, MAX_BYTES), FREE);
        assert_eq!(recent.bytes, 0, "one that is too large is not kept");

        recent.push(event(most + 4, 1000), 1000);
        assert_eq!(recent.bytes, 0, "nor one beyond the total");
        recent.push(event(most + 5, 1000), 1000 + EVENT_BYTES + 100);
        assert!(recent.bytes > 0);
    }

    proptest! {
        #[test]
        fn a_reader_gets_each_event_once_and_in_order(
            steps in proptest::collection::vec((0..3_u8, 1..400_000_usize), 1..200),
        ) {
            let (mut recent, mut last, mut cursor) = (RecentEvents::default(), 0, 0);
            for (step, size) in steps {
                if step < 2 {
                    last += 1;
                    recent.push(event(last, size), FREE);
                } else if let Some(taken) = take_after(&mut recent, cursor, 1 + size % 5, size) {
                    prop_assert_eq!(taken[0], cursor + 1);
                    prop_assert!(taken.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                    cursor = *taken.last().unwrap();
                } else {
                    // A read of the database would return these events.
                    cursor = last;
                }
                let held: usize = recent.events.iter().map(bytes_of).sum();
                prop_assert_eq!(held, recent.bytes);
                prop_assert!(held <= MAX_BYTES && recent.events.len() <= MAX_EVENTS);
            }
        }
    }
}
