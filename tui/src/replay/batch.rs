//! Many replays, one after the other: at most a few at a time, at most so many a second, told how
//! far they are, and stopped at will. Pure: asks for the next ones and is told of the ends.

use std::collections::{BTreeMap, VecDeque};

use podtap_agent::{EventId, Target};

use super::ReplayRequest;
use super::effect::ReplayEffect;
use crate::words;

/// Replays under way at once.
const SIDE_BY_SIDE: usize = 8;

/// Replays that are still to be done, and how the others went.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReplayBatch {
    waiting: VecDeque<EventId>,
    under_way: Vec<EventId>,
    target: Option<Target>,
    /// Replays a second; `None` as fast as the local service answers.
    rate: Option<usize>,
    /// Replays that this second still has room for.
    room: usize,
    /// How many were answered with each status.
    answered: BTreeMap<u16, u64>,
    /// How many were not.
    failed: u64,
    total: u64,
    /// Whether somebody stopped it before its end.
    is_stopped: bool,
}

impl ReplayBatch {
    /// Replays as they are requested.
    pub(super) fn new(request: ReplayRequest) -> Self {
        let ReplayRequest {
            events,
            target,
            rate,
        } = request;
        let waiting = VecDeque::from(events);
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
    pub(super) fn next(&mut self) -> Vec<ReplayEffect> {
        let free = SIDE_BY_SIDE.saturating_sub(self.under_way.len());
        let many = free.min(self.room).min(self.waiting.len());
        self.room -= many;
        let ids: Vec<EventId> = self.waiting.drain(..many).collect();
        self.under_way.extend(&ids);
        let replay = |id| ReplayEffect::Replay {
            id,
            target: self.target.clone(),
            edited: None,
        };
        ids.into_iter().map(replay).collect()
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        self.room = self.rate.unwrap_or(usize::MAX);
    }

    /// A replay has ended: with this status, or without an answer. Says whether it was one of
    /// these.
    pub(super) fn end_one(&mut self, id: EventId, status: Option<u16>) -> bool {
        let Some(at) = self.under_way.iter().position(|ours| *ours == id) else {
            return false;
        };
        self.under_way.swap_remove(at);
        match status {
            Some(status) => *self.answered.entry(status).or_default() += 1,
            None => self.failed += 1,
        }
        true
    }

    /// Sends no more; what is under way ends by itself.
    pub(super) fn stop(&mut self) {
        self.is_stopped |= !self.waiting.is_empty();
        self.waiting.clear();
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// How many have ended.
    pub(crate) fn ended_count(&self) -> u64 {
        self.answered.values().sum::<u64>() + self.failed
    }

    /// How many there are in all.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// How many were answered with an error, or not at all.
    pub(crate) fn troubles(&self) -> u64 {
        self.answered
            .range(400..)
            .map(|(_, many)| many)
            .sum::<u64>()
            + self.failed
    }

    /// How it went, in words: `40 sent, 38 answered 200, 2 answered 500`.
    pub(super) fn summary(&self) -> String {
        let sent = words::number(self.ended_count());
        let mut parts = vec![if self.is_stopped {
            format!("stopped after {sent} of {}", words::number(self.total))
        } else {
            format!("{sent} sent")
        }];
        let answered = self.answered.iter();
        let answered =
            answered.map(|(status, many)| format!("{} answered {status}", words::number(*many)));
        parts.extend(answered);
        if self.failed > 0 {
            parts.push(format!("{} without an answer", words::number(self.failed)));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    fn batch(rate: Option<usize>) -> ReplayBatch {
        ReplayBatch::new(ReplayRequest {
            events: (1..=20).map(id).collect(),
            target: None,
            rate,
        })
    }

    #[test]
    fn few_go_at_a_time_and_all_go_in_the_end() {
        let mut batch = batch(None);
        assert_eq!(batch.next().len(), SIDE_BY_SIDE);
        assert_eq!(batch.next().len(), 0);
        for ended in 1..=20 {
            let status = (ended % 5 != 0).then_some(if ended < 4 { 500 } else { 200 });
            assert!(batch.end_one(id(ended), status));
            batch.next();
        }
        assert!(batch.is_over());
        assert_eq!(
            (batch.ended_count(), batch.total(), batch.troubles()),
            (20, 20, 7)
        );
        let summary = "20 sent, 13 answered 200, 3 answered 500, 4 without an answer";
        assert_eq!(batch.summary(), summary);
    }

    #[test]
    fn a_rate_is_kept_and_stopping_sends_no_more() {
        let mut batch = batch(Some(3));
        assert_eq!(batch.next().len(), 3);
        assert!((1..=3).all(|ended| batch.end_one(id(ended), Some(200))));
        assert!(!batch.end_one(id(3), Some(200)));
        assert_eq!(batch.next().len(), 0);
        batch.tick();
        assert_eq!(batch.next().len(), 3);
        batch.stop();
        assert!((4..=6).all(|ended| batch.end_one(id(ended), Some(200))));
        assert!(batch.is_over());
        assert_eq!(batch.summary(), "stopped after 6 of 20, 6 answered 200");
    }
}
