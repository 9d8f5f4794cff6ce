//! Many replays, one after the other: at most a few at a time, at most so many a second, told how
//! far they are, and stopped at will. Pure: asks for the next ones and is told of the ends.

use std::collections::VecDeque;

use podtap_agent::{EventId, Target};

use crate::effect::Effect;

/// Replays under way at once.
const SIDE_BY_SIDE: usize = 8;

/// Replays that are still to be done, and how the others went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    waiting: VecDeque<EventId>,
    under_way: Vec<EventId>,
    target: Option<Target>,
    /// Replays a second; `None` as fast as the local service answers.
    rate: Option<usize>,
    /// Replays that this second still has room for.
    room: usize,
    answered: u64,
    failed: u64,
    total: u64,
}

impl Batch {
    /// Replays of these events, to `target` where that is another than the configured one.
    pub(crate) fn new(
        events: impl IntoIterator<Item = EventId>,
        target: Option<Target>,
        rate: Option<usize>,
    ) -> Self {
        let waiting: VecDeque<EventId> = events.into_iter().collect();
        let total = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        let room = rate.unwrap_or(usize::MAX);
        Self {
            waiting,
            target,
            rate,
            room,
            total,
            ..Self::default()
        }
    }

    /// What shall be sent now.
    pub(crate) fn next(&mut self) -> Vec<Effect> {
        let free = SIDE_BY_SIDE.saturating_sub(self.under_way.len());
        let many = free.min(self.room).min(self.waiting.len());
        self.room -= many;
        let ids: Vec<EventId> = self.waiting.drain(..many).collect();
        self.under_way.extend(&ids);
        let replay = |id| Effect::Replay {
            id,
            target: self.target.clone(),
            edited: None,
        };
        ids.into_iter().map(replay).collect()
    }

    /// A second has passed.
    pub(crate) fn tick(&mut self) {
        self.room = self.rate.unwrap_or(usize::MAX);
    }

    /// A replay has ended: with an answer, or without. Says whether it was one of these.
    pub(crate) fn ended(&mut self, id: EventId, answered: bool) -> bool {
        let Some(at) = self.under_way.iter().position(|ours| *ours == id) else {
            return false;
        };
        self.under_way.swap_remove(at);
        if answered {
            self.answered += 1;
        } else {
            self.failed += 1;
        }
        true
    }

    /// Sends no more; what is under way ends by itself.
    pub(crate) fn stop(&mut self) {
        self.waiting.clear();
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// How far it is: ended, of how many, and how many of them without an answer.
    pub(crate) fn progress(&self) -> (u64, u64, u64) {
        (self.answered + self.failed, self.total, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    #[test]
    fn few_go_at_a_time_and_all_go_in_the_end() {
        let mut batch = Batch::new((1..=20).map(id), None, None);
        assert_eq!(batch.next().len(), SIDE_BY_SIDE);
        assert_eq!(batch.next().len(), 0);
        for ended in 1..=20 {
            assert!(batch.ended(id(ended), ended % 5 != 0));
            batch.next();
        }
        assert!(batch.is_over());
        assert_eq!(batch.progress(), (20, 20, 4));
    }

    #[test]
    fn a_rate_is_kept_and_stopping_sends_no_more() {
        let mut batch = Batch::new((1..=20).map(id), None, Some(3));
        assert_eq!(batch.next().len(), 3);
        assert!((1..=3).all(|ended| batch.ended(id(ended), true)));
        assert!(!batch.ended(id(3), true));
        assert_eq!(batch.next().len(), 0);
        batch.tick();
        assert_eq!(batch.next().len(), 3);
        batch.stop();
        assert!((4..=6).all(|ended| batch.ended(id(ended), true)));
        assert!(batch.is_over());
        assert_eq!(batch.progress(), (6, 20, 0));
    }
}
