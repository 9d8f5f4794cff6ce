//! Remembers which events may have arrived before. An id above the lowest remembered one is new
//! unless it is among the remembered ids; for a lower id, the history is asked. Pure.

use std::collections::BTreeSet;

use podtap_wire::EventId;

/// Number of ids that are remembered: more than a relay sends without an acknowledgement.
pub(super) const REMEMBERED: usize = 8192;

/// The ids of the newest events.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    ids: BTreeSet<EventId>,
    /// The highest id that was forgotten. Ids up to this one may have arrived.
    forgotten: Option<EventId>,
}

impl SeenIds {
    /// Remembers the ids of the history, given newest first:
    /// [`REMEMBERED`] of them, or all if there are fewer.
    pub(super) fn of(newest: Vec<EventId>) -> Self {
        let forgotten = newest
            .last()
            .copied()
            .filter(|_| newest.len() >= REMEMBERED);
        let ids = newest.into_iter().collect();
        Self { ids, forgotten }
    }

    /// Remembers this id; returns whether it certainly never arrived before.
    pub(super) fn is_new(&mut self, id: EventId) -> bool {
        let is_new = self.forgotten.is_none_or(|forgotten| id > forgotten) && self.ids.insert(id);
        if self.ids.len() > REMEMBERED {
            self.forgotten = self.ids.pop_first().max(self.forgotten);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn id(number: u64) -> EventId {
        EventId::from_bytes((u128::from(number)).to_be_bytes())
    }

    #[test]
    fn what_the_history_has_is_not_new_and_neither_is_what_may_be_forgotten() {
        let newest = (1000..1000 + REMEMBERED as u64).rev().map(id).collect();
        let mut known = SeenIds::of(newest);
        for number in [5, 1000, 1001] {
            assert!(!known.is_new(id(number)), "{number}");
        }
        let next = 1000 + REMEMBERED as u64;
        assert!(known.is_new(id(next)));
        assert!(!known.is_new(id(next)));

        let mut known = SeenIds::of(vec![id(7)]);
        assert!(
            known.is_new(id(3)),
            "all ids of a small history are remembered"
        );
    }

    #[test]
    fn nothing_is_called_new_twice() {
        for seed in 0..3 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut known, mut seen) = (SeenIds::default(), HashSet::new());
            let mut new = 0;
            for arrived in 0..20_000 {
                // Mostly in order, like a relay's ids.
                let number = random.u64(arrived..arrived + 10_000);
                let is_new = known.is_new(id(number));
                assert!(!is_new || !seen.contains(&number), "{number}");
                seen.insert(number);
                new += u32::from(is_new);
            }
            assert!(known.ids.len() <= REMEMBERED && new > 5_000, "{new}");
        }
    }
}
