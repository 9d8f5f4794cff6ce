//! Limits the size of an answer, as the relay sets it, and the memory of all answers together, from
//! the first byte that is read until the last one is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use podtap_wire::RelayLimits;
use podtap_wire::limits::DEFAULT_MAX_RESPONSE_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of bytes of all answers together.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Unit in which memory is counted: 1 KiB.
const UNIT: usize = 1024;

/// The limits for answers. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    /// Maximum size of an answer that the relay accepts.
    most: Arc<AtomicUsize>,
    budget: Arc<Semaphore>,
}

/// The memory of one answer; released when dropped.
#[derive(Debug)]
pub(crate) struct AnswerPermit {
    allowance: Allowance,
    held: Option<OwnedSemaphorePermit>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            most: Arc::new(AtomicUsize::new(DEFAULT_MAX_RESPONSE_BYTES)),
            budget: Arc::new(Semaphore::new(MAX_BYTES / UNIT)),
        }
    }
}

impl Allowance {
    /// Applies the limits of a relay's welcome.
    pub(crate) fn set_limits(&self, limits: &RelayLimits) {
        let most = match limits.max_response_bytes {
            0 => DEFAULT_MAX_RESPONSE_BYTES,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        };
        self.most.store(most, Ordering::Relaxed);
    }

    /// Returns the permit for an answer that is still empty.
    pub(crate) fn room(&self) -> AnswerPermit {
        AnswerPermit {
            allowance: self.clone(),
            held: None,
        }
    }
}

impl AnswerPermit {
    /// Reserves memory for `bytes` bytes in total. Returns false if the relay accepts less, or if
    /// other answers use too much.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        if bytes > self.allowance.most.load(Ordering::Relaxed) {
            return false;
        }
        let held = self
            .held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(UNIT).saturating_sub(held);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let budget = Arc::clone(&self.allowance.budget);
        let Ok(permit) = budget.try_acquire_many_owned(more) else {
            return false;
        };
        match &mut self.held {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn an_answer_is_as_large_as_the_relay_takes_and_all_stay_within_the_budget() {
        let allowance = Allowance::default();
        let mut rooms: Vec<AnswerPermit> = (0..8).map(|_| allowance.room()).collect();
        let mut grown = 0;
        for step in 1..=8 {
            grown = rooms
                .iter_mut()
                .filter_map(|room| room.grow(step * MIB).then_some(()))
                .count();
        }
        assert!(grown < 8, "not all may have 8 MiB");
        assert_eq!(allowance.budget.available_permits(), 0);
        rooms.clear();
        assert!(allowance.room().grow(8 * MIB));
        assert!(!allowance.room().grow(8 * MIB + 1));

        allowance.set_limits(&RelayLimits {
            max_response_bytes: 1000,
            ..RelayLimits::default()
        });
        assert!(allowance.room().grow(1000));
        assert!(!allowance.room().grow(1001));
    }
}
