//! Computes when to dial again. Pure: time and chance are passed in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Minimum pause, and the unit of its growth.
const SHORTEST: Duration = Duration::from_millis(200);

/// Maximum pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Minimum duration of a connection that resets the backoff: a relay that accepts every agent and
/// drops it immediately must not be dialled without a pause.
const PROVEN_AFTER: Duration = Duration::from_secs(10);

/// Pause between two checks whether the machine was asleep.
pub(super) const SLEEP_CHECK: Duration = Duration::from_secs(1);

/// Minimum jump of the wall clock ahead of the monotonic one that means that the machine slept.
const SLEPT: SignedDuration = SignedDuration::from_secs(5);

/// Pauses between attempts: none at first, then growing, with full jitter.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns the number of attempts since the last proven connection.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Records the duration of a connection that ended.
    pub(super) fn record_uptime(&mut self, uptime: Duration) {
        if uptime >= PROVEN_AFTER {
            self.failures = 0;
        }
    }

    /// Returns the pause before the next attempt; `chance` is from 0 to 1.
    pub(super) fn next(&mut self, chance: f64) -> Duration {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        if doublings == 0 {
            return Duration::ZERO;
        }
        let ceiling = SHORTEST.saturating_mul(1 << doublings).min(LONGEST);
        SHORTEST
            + ceiling
                .saturating_sub(SHORTEST)
                .mul_f64(chance.clamp(0.0, 1.0))
    }
}

/// Detects that the machine was asleep: the wall clock continued and the monotonic one did not.
#[derive(Debug)]
pub(super) struct SleepWatch {
    wall: Timestamp,
    monotonic: Instant,
}

impl SleepWatch {
    pub(super) fn new(wall: Timestamp, monotonic: Instant) -> Self {
        Self { wall, monotonic }
    }

    /// Returns whether the machine slept since the last call.
    pub(super) fn has_slept(&mut self, wall: Timestamp, monotonic: Instant) -> bool {
        let by_wall = wall.duration_since(self.wall);
        let awake = monotonic.duration_since(self.monotonic);
        *self = Self { wall, monotonic };
        SignedDuration::try_from(awake).is_ok_and(|awake| by_wall > awake + SLEPT)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_attempt_is_at_once_and_a_proven_connection_begins_anew() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(1.0), Duration::ZERO);
        assert_eq!(backoff.next(1.0), Duration::from_millis(400));
        backoff.record_uptime(Duration::from_secs(1));
        assert_eq!(backoff.next(1.0), Duration::from_millis(800));
        backoff.record_uptime(PROVEN_AFTER);
        assert_eq!(backoff.next(1.0), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn pauses_stay_between_their_bounds(failures in 1_u32..100, chance in 0.0..=1.0) {
            let pause = Backoff { failures }.next(chance);
            prop_assert!((SHORTEST..=LONGEST).contains(&pause));
        }
    }

    #[tokio::test]
    async fn only_a_jump_of_the_wall_clock_ahead_means_sleep() {
        let (wall, monotonic) = (Timestamp::UNIX_EPOCH, Instant::now());
        let later = |s| {
            (
                wall + SignedDuration::from_secs(s),
                monotonic + Duration::from_mins(1),
            )
        };
        for (seconds, slept) in [
            (60, false),
            (64, false),
            (66, true),
            (0, false),
            (-9, false),
        ] {
            let (then, now) = later(seconds);
            assert_eq!(
                SleepWatch::new(wall, monotonic).has_slept(then, now),
                slept,
                "{seconds}"
            );
        }
    }
}
