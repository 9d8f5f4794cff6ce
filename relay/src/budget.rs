//! Limits memory that senders fill, in total and for each key that shares it. Pure
//! bookkeeping: nothing is allocated here.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Divisor of a budget: the part that one key may use.
const SHARES: usize = 8;

/// Maximum size of a share that may use the reserved part, in bytes. Every webhook of Podio
/// is far smaller (podio.md, section 1.2: a form of a handful of ids).
pub(crate) const SMALL_BYTES: usize = 64 * 1024;

/// Size of the part reserved for small shares, in bytes. Of a budget below 128 MiB, an
/// eighth is reserved.
const SET_ASIDE_BYTES: usize = 16 * 1024 * 1024;

/// A number of bytes, of which each key may use an eighth.
#[derive(Debug)]
pub(crate) struct ByteBudget<K: Eq + Hash + Copy> {
    pools: Mutex<Pools<K>>,
}

#[derive(Debug)]
struct Pools<K> {
    /// Pool for shares of any size.
    common: BudgetPool<K>,
    /// Pool for small shares, used when the common pool is empty.
    small: BudgetPool<K>,
}

#[derive(Debug)]
struct BudgetPool<K> {
    left: usize,
    /// Maximum number of bytes per key.
    per_key: usize,
    held: HashMap<K, usize>,
}

/// Bytes taken from a budget, which are given back when this is dropped.
#[derive(Debug)]
pub(crate) struct ByteShare<K: Eq + Hash + Copy> {
    budget: Arc<ByteBudget<K>>,
    key: K,
    common: usize,
    small: usize,
}

/// Reason why a share cannot grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExhaustedBudget {
    /// The whole budget is in use.
    Budget,
    /// This key uses its maximum.
    Key,
}

impl<K: Eq + Hash + Copy> ByteBudget<K> {
    /// Creates a budget of this many bytes. A key may use `largest` bytes even if an eighth is
    /// less.
    pub(crate) fn new(bytes: usize, largest: usize) -> Arc<Self> {
        let small = SET_ASIDE_BYTES.min(bytes / SHARES);
        Arc::new(Self {
            pools: Mutex::new(Pools {
                common: BudgetPool::new(bytes - small, largest),
                small: BudgetPool::new(small, SMALL_BYTES),
            }),
        })
    }

    /// Returns an empty share.
    pub(crate) fn share(self: &Arc<Self>, key: K) -> ByteShare<K> {
        ByteShare {
            budget: Arc::clone(self),
            key,
            common: 0,
            small: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pools<K>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy> BudgetPool<K> {
    fn new(bytes: usize, largest: usize) -> Self {
        Self {
            left: bytes,
            per_key: (bytes / SHARES).max(largest),
            held: HashMap::new(),
        }
    }

    fn take(&mut self, key: K, bytes: usize) -> Result<(), ExhaustedBudget> {
        if bytes > self.left {
            return Err(ExhaustedBudget::Budget);
        }
        let held = self.held.get(&key).copied().unwrap_or_default() + bytes;
        if held > self.per_key {
            return Err(ExhaustedBudget::Key);
        }
        self.left -= bytes;
        self.held.insert(key, held);
        Ok(())
    }

    fn give_back(&mut self, key: K, bytes: usize) {
        self.left += bytes;
        if let Some(held) = self.held.get_mut(&key) {
            *held -= bytes;
            if *held == 0 {
                self.held.remove(&key);
            }
        }
    }
}

impl<K: Eq + Hash + Copy> ByteShare<K> {
    /// Takes more bytes. The reserved part is only for shares that stay small.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ExhaustedBudget> {
        let mut pools = self.budget.lock();
        let is_small = self.common + self.small + bytes <= SMALL_BYTES;
        // A share that is not small any more moves out of the reserved part.
        let moved = if is_small { 0 } else { self.small };
        match pools.common.take(self.key, bytes + moved) {
            Ok(()) => {
                self.common += bytes + moved;
                if moved > 0 {
                    pools.small.give_back(self.key, moved);
                    self.small = 0;
                }
                Ok(())
            }
            Err(why) if is_small => {
                pools.small.take(self.key, bytes).map_err(|_| why)?;
                self.small += bytes;
                Ok(())
            }
            Err(why) => Err(why),
        }
    }
}

impl<K: Eq + Hash + Copy> Drop for ByteShare<K> {
    fn drop(&mut self) {
        let mut pools = self.budget.lock();
        pools.common.give_back(self.key, self.common);
        pools.small.give_back(self.key, self.small);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn take_share(
        budget: &Arc<ByteBudget<u8>>,
        key: u8,
        bytes: usize,
    ) -> Result<ByteShare<u8>, ExhaustedBudget> {
        let mut share = budget.share(key);
        share.grow(bytes).map(|()| share)
    }

    #[test]
    fn one_holds_an_eighth_and_leaves_the_rest_to_others() {
        let budget = ByteBudget::new(128 * MIB, 8 * MIB);
        let held = take_share(&budget, 1, 14 * MIB).unwrap();
        assert_eq!(
            take_share(&budget, 1, MIB).unwrap_err(),
            ExhaustedBudget::Key
        );
        assert!(take_share(&budget, 2, 14 * MIB).is_ok());
        drop(held);
        assert!(take_share(&budget, 1, 14 * MIB).is_ok());
    }

    #[test]
    fn small_ones_have_room_when_large_ones_have_taken_the_rest() {
        let budget = ByteBudget::new(128 * MIB, 8 * MIB);
        let large: Vec<_> = (0..8)
            .map(|key| take_share(&budget, key, 14 * MIB))
            .collect();
        assert!(large.iter().all(Result::is_ok));

        assert_eq!(
            take_share(&budget, 9, MIB).unwrap_err(),
            ExhaustedBudget::Budget
        );
        let mut small = take_share(&budget, 9, SMALL_BYTES).unwrap();
        assert!(
            take_share(&budget, 1, SMALL_BYTES).is_ok(),
            "their owners too"
        );
        assert_eq!(
            small.grow(1),
            Err(ExhaustedBudget::Budget),
            "no longer small"
        );
        drop(large);
        assert_eq!(small.grow(1), Ok(()));
    }

    #[test]
    fn the_largest_body_fits_a_budget_of_any_size() {
        let budget = ByteBudget::new(16 * MIB, 8 * MIB);
        assert!(take_share(&budget, 1, 8 * MIB).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_taken_is_bounded_and_all_of_it_comes_back(
            steps in proptest::collection::vec((0..4_u8, 0..200_000_usize, any::<bool>()), 1..80),
        ) {
            const BYTES: usize = MIB;
            let budget = ByteBudget::new(BYTES, 1);
            let mut shares: Vec<(ByteShare<u8>, usize)> = Vec::new();
            for (key, bytes, again) in steps {
                if again && let Some((share, held)) = shares.last_mut() {
                    *held += share.grow(bytes).map_or(0, |()| bytes);
                } else if let Ok(share) = take_share(&budget, key, bytes) {
                    shares.push((share, bytes));
                } else {
                    shares.pop();
                }
                let held: usize = shares.iter().map(|(_, held)| held).sum();
                let counted: usize = shares.iter().map(|(s, _)| s.common + s.small).sum();
                prop_assert_eq!(held, counted);
                prop_assert!(held <= BYTES);
            }
            shares.clear();
            let pools = budget.lock();
            prop_assert_eq!(pools.common.left + pools.small.left, BYTES);
            prop_assert!(pools.common.held.is_empty() && pools.small.held.is_empty());
        }
    }
}
