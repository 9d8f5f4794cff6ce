//! Memory that senders fill, bounded for all of them together and for each of those who share it.
//! Pure bookkeeping: nothing is allocated here.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One of those who share a budget may hold a part of it: this many of them fill it.
const SHARES: usize = 8;

/// The most that a share may hold and still draw on what is set aside, in bytes. Every webhook of
/// Podio's is far below (podio.md, section 1.2: a form of a handful of ids).
pub(crate) const SMALL_BYTES: usize = 64 * 1024;

/// What is set aside for small shares, in bytes; of a budget below 128 MiB its eighth.
const SET_ASIDE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes, of which each of `K` may hold an eighth.
#[derive(Debug)]
pub(crate) struct ByteBudget<K: Eq + Hash + Copy> {
    pools: Mutex<Pools<K>>,
}

#[derive(Debug)]
struct Pools<K> {
    /// For everything.
    common: BudgetPool<K>,
    /// For what is small, when the common pool is empty.
    small: BudgetPool<K>,
}

#[derive(Debug)]
struct BudgetPool<K> {
    left: usize,
    /// The most that one of `K` may hold.
    per_key: usize,
    held: HashMap<K, usize>,
}

/// Bytes taken out of a budget, and given back when dropped.
#[derive(Debug)]
pub(crate) struct ByteShare<K: Eq + Hash + Copy> {
    budget: Arc<ByteBudget<K>>,
    key: K,
    common: usize,
    small: usize,
}

/// Why a share cannot grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExhaustedBudget {
    /// All of the budget is in use.
    Budget,
    /// This key holds as much as one may.
    Key,
}

impl<K: Eq + Hash + Copy> ByteBudget<K> {
    /// A budget of this many bytes. Whatever an eighth is, one key may hold `largest`.
    pub(crate) fn new(bytes: usize, largest: usize) -> Arc<Self> {
        let small = SET_ASIDE_BYTES.min(bytes / SHARES);
        Arc::new(Self {
            pools: Mutex::new(Pools {
                common: BudgetPool::new(bytes - small, largest),
                small: BudgetPool::new(small, SMALL_BYTES),
            }),
        })
    }

    /// A share with nothing in it.
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
    /// Takes so many bytes more. What is set aside is for shares that stay small.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ExhaustedBudget> {
        let mut pools = self.budget.lock();
        let is_small = self.common + self.small + bytes <= SMALL_BYTES;
        // One that outgrows what is set aside gives it back.
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
