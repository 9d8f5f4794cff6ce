//! Limits the memory that all sessions share, and the part of it that one owner gets: for
//! events on their way to agents and for what agents are sending (invariant 5).

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Divisor of a budget: the part that one owner gets.
const OWNERS: usize = 4;

/// Number of bytes per unit of a budget.
const UNIT: usize = 1024;

/// Memory that all sessions share.
#[derive(Debug)]
pub(super) struct SessionBudget {
    all: Arc<Semaphore>,
    share_units: u32,
}

/// One owner's part of a budget.
#[derive(Debug, Clone)]
pub(super) struct OwnerShare {
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
    units: u32,
}

/// Bytes that may be used until this is dropped.
#[derive(Debug)]
pub(super) struct BudgetGrant {
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl SessionBudget {
    /// Creates a budget of which one owner gets a quarter, but at least `least_share` bytes:
    /// the size of the largest thing that must pass.
    pub(super) fn new(bytes: usize, least_share: usize) -> Self {
        let share = (bytes / OWNERS).max(least_share);
        let all = Semaphore::new(bytes.max(share).div_ceil(UNIT).min(Semaphore::MAX_PERMITS));
        Self {
            all: Arc::new(all),
            share_units: units(share),
        }
    }

    /// Returns the part of an owner who has none yet.
    pub(super) fn share(&self) -> OwnerShare {
        OwnerShare {
            all: Arc::clone(&self.all),
            own: Arc::new(Semaphore::new(self.share_units as usize)),
            units: self.share_units,
        }
    }
}

impl OwnerShare {
    /// Waits until this many bytes are free, both in the owner's part and in the whole budget.
    /// Requests for more than the part get the whole part.
    ///
    /// # Cancel safety
    /// Safe, but the place in the line of waiting callers is lost.
    pub(super) async fn take(&self, bytes: usize) -> BudgetGrant {
        let units = units(bytes).min(self.units);
        let own = Arc::clone(&self.own).acquire_many_owned(units).await;
        let all = Arc::clone(&self.all).acquire_many_owned(units).await;
        match (own, all) {
            (Ok(own), Ok(all)) => BudgetGrant { own, all },
            // The semaphores are never closed, so this cannot happen.
            _ => std::future::pending().await,
        }
    }
}

impl BudgetGrant {
    /// Gives back all bytes beyond this number.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let units = units(bytes) as usize;
        drop(self.own.split(self.own.num_permits().saturating_sub(units)));
        drop(self.all.split(self.all.num_permits().saturating_sub(units)));
    }

    /// Merges two grants of the same share.
    pub(super) fn join(&mut self, other: Self) {
        self.own.merge(other.own);
        self.all.merge(other.all);
    }

    /// Keeps the grant for as long as these bytes exist.
    pub(super) fn keep_with(self, bytes: Bytes) -> Bytes {
        struct GrantedBytes {
            bytes: Bytes,
            _grant: BudgetGrant,
        }
        impl AsRef<[u8]> for GrantedBytes {
            fn as_ref(&self) -> &[u8] {
                &self.bytes
            }
        }
        Bytes::from_owner(GrantedBytes {
            bytes,
            _grant: self,
        })
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const MIB: usize = 1024 * 1024;

    async fn is_free(share: &OwnerShare, bytes: usize) -> bool {
        timeout(Duration::from_secs(1), share.take(bytes))
            .await
            .is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_owner_gets_a_part_and_another_is_not_held_up() {
        let budget = SessionBudget::new(64 * MIB, MIB);
        let (ada, bob) = (budget.share(), budget.share());
        let mut held = ada.take(16 * MIB).await;
        assert!(!is_free(&ada, 1).await, "her part is used up");
        assert!(is_free(&bob, 16 * MIB).await);

        held.shrink(15 * MIB);

        assert!(is_free(&ada, MIB).await);
        assert!(!is_free(&ada, 2 * MIB).await);
        let body = held.keep_with(Bytes::from_static(b"body"));
        assert_eq!(body, "body");
        assert!(!is_free(&ada, 16 * MIB).await, "held with the bytes");
        drop(body);
        assert!(is_free(&ada, 16 * MIB).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_thing_passes_and_all_together_stay_within_the_budget() {
        let budget = SessionBudget::new(4 * MIB, 3 * MIB);
        let (ada, bob) = (budget.share(), budget.share());
        let held = ada.take(100 * MIB).await;
        assert!(is_free(&bob, MIB).await);
        assert!(!is_free(&bob, 2 * MIB).await);
        drop(held);
        assert!(is_free(&bob, 2 * MIB).await);
    }
}
