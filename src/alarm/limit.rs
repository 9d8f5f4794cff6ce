//! Limits the alarms: one per event, and at most one
//! in a few seconds. Pure: the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use podtap_wire::EventId;
use tokio::time::Instant;

/// Minimum time between two alarms.
pub(super) const APART: Duration = Duration::from_secs(10);

/// Number of failed events that are remembered, the latest ones.
const REMEMBERED: usize = 256;

#[derive(Debug, Default)]
pub(super) struct AlarmLimit {
    last: Option<Instant>,
    events: VecDeque<EventId>,
}

impl AlarmLimit {
    /// Returns whether the failure of this event may ring now, and notes it if so.
    pub(super) fn take(&mut self, event: EventId, now: Instant) -> bool {
        if self.events.contains(&event) {
            return false;
        }
        if self.events.len() >= REMEMBERED {
            self.events.pop_front();
        }
        self.events.push_back(event);
        let is_soon = self
            .last
            .is_some_and(|last| now.duration_since(last) < APART);
        if !is_soon {
            self.last = Some(now);
        }
        !is_soon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> EventId {
        EventId::from_bytes((number as u128).to_be_bytes())
    }

    #[test]
    fn it_rings_once_for_an_event_and_not_twice_within_ten_seconds() {
        let mut limit = AlarmLimit::default();
        let begin = Instant::now();
        for (event, seconds, rings) in [
            (1, 0, true),
            (1, 60, false),
            (2, 61, true),
            (3, 70, false),
            (4, 71, true),
            (3, 90, false),
        ] {
            let now = begin + Duration::from_secs(seconds);
            assert_eq!(limit.take(id(event), now), rings, "{event} at {seconds} s");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut limit = AlarmLimit::default();
        let now = Instant::now();
        for number in 0..10 * REMEMBERED {
            limit.take(id(number), now);
        }
        assert_eq!(limit.events.len(), REMEMBERED);
    }
}
