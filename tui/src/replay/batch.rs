//! Replays many events in order: at most a few at a time, and at most a set number per
//! second. Counts the outcomes, and can be stopped. Pure: it returns the next replays,
//! and the caller reports their ends.

use std::collections::{BTreeMap, VecDeque};

use podtap_agent::{EventId, Target};

use super::ReplayRequest;
use super::effect::ReplayEffect;
use crate::words;

/// Maximum number of replays at the same time.
const SIDE_BY_SIDE: usize = 8;

/// The replays of a batch that are waiting or running, and the outcomes of those that have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReplayBatch {
    waiting: VecDeque<EventId>,
    under_way: Vec<EventId>,
    target: Option<Target>,
    /// Maximum number of replays per second; `None` to replay as fast as the local service answers.
    rate: Option<usize>,
    /// Number of replays that may still start in this second.
    room: usize,
    /// Number of answers with each status.
    answered: BTreeMap<u16, u64>,
    /// Number of replays without an answer.
    failed: u64,
    total: u64,
    /// Whether a person stopped the batch before its end.
    is_stopped: bool,
}

impl ReplayBatch {
    /// Creates a batch from a request.
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

    /// Returns the replays to start now.
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

    /// Handles a tick of the clock.
    pub(super) fn tick(&mut self) {
        self.room = self.rate.unwrap_or(usize::MAX);
    }

    /// Records the end of a replay, with the status of the answer or `None`. Returns whether
    /// the replay belongs to this batch.
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

    /// Starts no more replays. Those that are running end by themselves.
    pub(super) fn stop(&mut self) {
        self.is_stopped |= !self.waiting.is_empty();
        self.waiting.clear();
    }

    /// Returns whether no replay is waiting or running.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// Returns the number of replays that have ended.
    pub(crate) fn ended_count(&self) -> u64 {
        self.answered.values().sum::<u64>() + self.failed
    }

    /// Returns the number of all replays of the batch.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the number of replays with an error as the answer, or without an answer.
    pub(crate) fn troubles(&self) -> u64 {
        self.answered
            .range(400..)
            .map(|(_, many)| many)
            .sum::<u64>()
            + self.failed
    }

    /// Returns the outcomes in words: `40 sent, 38 answered 200, 2 answered 500`.
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
