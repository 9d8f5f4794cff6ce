//! Limits what one owner may store to as much as is left for all, in both engines, so that
//! no owner fills the storage for the others. Pure.

use super::{AppendError, EngineLimits};

/// Bytes that an owner's queues may contain even if less is left.
const SMALL_BYTES: u64 = 1024 * 1024;

/// Content of an owner's queues.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnerUsage {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

/// Bytes that are left for all queues together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpaceLeft {
    /// Bytes below the limit of all queues together.
    pub(crate) total: u64,
    /// Bytes on the disk above the floor, if the engine can read the free space of the disk.
    pub(crate) disk: u64,
}

impl OwnerUsage {
    /// Counts a new event of this owner, unless the owner has reached the limit per owner or as
    /// much as is left for all.
    pub(crate) fn admit(
        &mut self,
        bytes: u64,
        left: &mut SpaceLeft,
        limits: &EngineLimits,
    ) -> Result<(), AppendError> {
        let after = self.bytes.saturating_add(bytes);
        if self.events >= limits.max_owner_events || after > limits.max_owner_bytes {
            return Err(AppendError::OwnerFull);
        }
        if after > left.total.min(left.disk).max(SMALL_BYTES) {
            return Err(AppendError::ShareOfDisk);
        }
        if bytes > left.total {
            return Err(AppendError::AllFull);
        }
        self.add(bytes);
        left.total -= bytes;
        left.disk = left.disk.saturating_sub(bytes);
        Ok(())
    }

    /// Counts an event.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.events += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    const MIB: u64 = 1024 * 1024;

    fn holding(mib: u64) -> OwnerUsage {
        OwnerUsage {
            events: 1,
            bytes: mib * MIB,
        }
    }

    fn space_left(total: u64, disk: u64) -> SpaceLeft {
        SpaceLeft {
            total: total * MIB,
            disk: disk * MIB,
        }
    }

    #[test]
    fn an_owner_gets_no_more_than_what_is_left_for_the_others() {
        let limits = EngineLimits::from(&Limits::default());
        for mut left in [space_left(100, 1000), space_left(1000, 100)] {
            let (mut ada, mut bob) = (holding(99), OwnerUsage::default());
            assert_eq!(ada.admit(MIB, &mut left, &limits), Ok(()), "just as much");
            assert_eq!(
                ada.admit(1, &mut left, &limits),
                Err(AppendError::ShareOfDisk)
            );
            assert_eq!(bob.admit(MIB, &mut left, &limits), Ok(()));
            assert_eq!((bob.events, bob.bytes), (1, MIB));
            assert_eq!(left.total.min(left.disk), 98 * MIB);
        }
    }

    #[test]
    fn a_little_is_never_refused_for_the_disk_but_the_limit_on_all_holds() {
        let limits = EngineLimits::from(&Limits::default());
        let mut owner = OwnerUsage::default();
        let mut full = space_left(1000, 0);
        assert_eq!(owner.admit(MIB, &mut full, &limits), Ok(()));
        assert_eq!(
            owner.admit(1, &mut full, &limits),
            Err(AppendError::ShareOfDisk)
        );
        let mut owner = OwnerUsage::default();
        assert_eq!(
            owner.admit(1, &mut space_left(0, 1000), &limits),
            Err(AppendError::AllFull)
        );
        assert_eq!((owner.events, owner.bytes), (0, 0), "nothing is counted");
    }

    #[test]
    fn an_owners_own_limits_come_first() {
        let limits = EngineLimits {
            max_owner_events: 3,
            max_owner_bytes: 2 * MIB,
            ..EngineLimits::from(&Limits::default())
        };
        let mut many = OwnerUsage {
            events: 3,
            bytes: 0,
        };
        let mut full = space_left(0, 0);
        assert_eq!(
            many.admit(1, &mut full, &limits),
            Err(AppendError::OwnerFull)
        );
        assert_eq!(
            holding(2).admit(1, &mut full, &limits),
            Err(AppendError::OwnerFull)
        );
    }
}
