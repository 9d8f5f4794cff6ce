//! Measures the age of things independently of the wall clock.
//!
//! While a process runs, a clock that cannot be set counts the time. For the time between
//! two runs there is only the wall clock: the pause that it claims counts only after an hour
//! of running in which it was not set back. So a wall clock that jumps ahead, for a minute
//! or between two runs, makes nothing older for at least an hour, and the jump is reported.
//!
//! An age is stored together with a position in a sequence (a *mark*): everything up to that
//! position existed at that age. Pure; the caller reads the clocks and stores the state.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Maximum drift or correction of a wall clock that is not reported.
pub(crate) const TOLERANCE_MS: i64 = 2 * 60 * 1000;

/// Maximum pause between two runs that counts at once.
const SHORT_PAUSE_MS: i64 = 5 * 60 * 1000;

/// Running time after which a longer pause counts.
const TRIAL_MS: i64 = 60 * 60 * 1000;

/// Maximum number of pauses that do not count yet. Beyond it, the two oldest are combined.
const MAX_PAUSES: usize = 64;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970, from the system.
    pub wall_ms: i64,
    /// Time of a clock that never goes back, from any start.
    pub steady: Duration,
}

impl Now {
    /// Reads the clocks.
    pub fn read() -> Self {
        Self {
            wall_ms: Timestamp::now().as_millisecond(),
            steady: steady(),
        }
    }
}

/// State that is stored on disk between two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAge {
    /// Age so far.
    age_ms: i64,
    /// Wall clock at that age.
    wall_ms: i64,
    pauses: Vec<UnconfirmedPause>,
}

impl KeptAge {
    /// Returns the wall clock at which this was stored.
    pub(crate) const fn wall_ms(&self) -> i64 {
        self.wall_ms
    }
}

/// Time between two runs that does not count yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct UnconfirmedPause {
    claimed_ms: i64,
    /// Running time since the pause.
    borne_out_ms: i64,
}

/// The wall clock was set, by this number of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump(pub i64);

/// Clock that measures ages.
#[derive(Debug, Clone)]
pub struct AgeClock {
    kept: KeptAge,
    steady: Duration,
}

impl AgeClock {
    /// Continues from the state of an earlier run, or begins at 0 without one.
    pub fn resume(kept: Option<KeptAge>, now: Now) -> (Self, Option<Jump>) {
        let Some(kept) = kept else {
            let kept = KeptAge {
                wall_ms: now.wall_ms,
                ..KeptAge::default()
            };
            let steady = now.steady;
            return (Self { kept, steady }, None);
        };
        let paused = now.wall_ms.saturating_sub(kept.wall_ms);
        let mut clock = Self {
            kept,
            steady: now.steady,
        };
        clock.kept.wall_ms = now.wall_ms;
        let mut jump = None;
        if paused < 0 {
            clock.set_back(-paused);
            jump = (paused < -TOLERANCE_MS).then_some(Jump(paused));
        } else if paused <= SHORT_PAUSE_MS {
            clock.kept.age_ms = clock.kept.age_ms.saturating_add(paused);
        } else {
            clock.put_on_trial(paused);
        }
        (clock, jump)
    }

    /// Advances to this moment. Returns the jump if the wall clock was set.
    pub fn advance(&mut self, now: Now) -> Option<Jump> {
        let run = now.steady.saturating_sub(self.steady);
        let run = i64::try_from(run.as_millis()).unwrap_or(i64::MAX);
        let set = now
            .wall_ms
            .saturating_sub(self.kept.wall_ms)
            .saturating_sub(run);
        self.steady = self.steady.max(now.steady);
        self.kept.wall_ms = now.wall_ms;
        self.kept.age_ms = self.kept.age_ms.saturating_add(run);
        for pause in &mut self.kept.pauses {
            pause.borne_out_ms = pause.borne_out_ms.saturating_add(run);
        }
        if set < -TOLERANCE_MS {
            self.set_back(-set);
        }
        self.believe();
        (set.abs() > TOLERANCE_MS).then_some(Jump(set))
    }

    /// Returns the age in milliseconds, which never decreases.
    pub fn age_ms(&self) -> i64 {
        self.kept.age_ms
    }

    /// Returns the state to store on disk.
    pub fn to_keep(&self) -> &KeptAge {
        &self.kept
    }

    fn put_on_trial(&mut self, claimed_ms: i64) {
        let pauses = &mut self.kept.pauses;
        pauses.push(UnconfirmedPause {
            claimed_ms,
            borne_out_ms: 0,
        });
        if pauses.len() > MAX_PAUSES {
            let oldest = pauses.remove(0);
            if let Some(next) = pauses.first_mut() {
                next.claimed_ms = next.claimed_ms.saturating_add(oldest.claimed_ms);
            }
        }
    }

    fn believe(&mut self) {
        let age = &mut self.kept.age_ms;
        self.kept.pauses.retain(|pause| {
            let is_true = pause.borne_out_ms >= TRIAL_MS;
            if is_true {
                *age = age.saturating_add(pause.claimed_ms);
            }
            !is_true
        });
    }

    /// Reduces the pauses that the wall clock has claimed, the newest first, because it went back.
    fn set_back(&mut self, mut by: i64) {
        while by > 0
            && let Some(newest) = self.kept.pauses.last_mut()
        {
            let taken = newest.claimed_ms.min(by);
            newest.claimed_ms -= taken;
            by -= taken;
            if newest.claimed_ms == 0 {
                self.kept.pauses.pop();
            }
        }
    }
}

/// Reads a clock that never goes back. It also runs while the machine sleeps, if the system
/// has such a clock.
fn steady() -> Duration {
    crate::system::steady()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;

    fn at(wall_ms: i64, steady_ms: i64) -> Now {
        Now {
            wall_ms,
            steady: Duration::from_millis(steady_ms.try_into().unwrap()),
        }
    }

    #[test]
    fn a_clock_that_jumps_ahead_for_a_while_makes_nothing_older() {
        let (mut clock, _) = AgeClock::resume(None, at(0, 0));

        assert_eq!(clock.advance(at(MINUTE, MINUTE)), None);
        let told = clock.advance(at(8 * DAY, 2 * MINUTE));
        assert_eq!(told, Some(Jump(8 * DAY - 2 * MINUTE)));
        assert!(clock.advance(at(3 * MINUTE, 3 * MINUTE)).is_some());

        assert_eq!(clock.age_ms(), 3 * MINUTE);
    }

    #[test]
    fn a_pause_is_believed_after_an_hour() {
        let (clock, _) = AgeClock::resume(None, at(0, 0));
        let (mut clock, told) = AgeClock::resume(Some(clock.to_keep().clone()), at(3 * DAY, 0));
        assert_eq!((clock.age_ms(), told), (0, None));

        clock.advance(at(3 * DAY + 59 * MINUTE, 59 * MINUTE));
        assert_eq!(clock.age_ms(), 59 * MINUTE);
        clock.advance(at(3 * DAY + 61 * MINUTE, 61 * MINUTE));
        assert_eq!(clock.age_ms(), 3 * DAY + 61 * MINUTE);
    }

    #[test]
    fn a_clock_that_was_ahead_during_one_run_is_not_believed_by_the_next() {
        let (clock, _) = AgeClock::resume(None, at(0, 0));
        let (mut ahead, _) = AgeClock::resume(Some(clock.to_keep().clone()), at(31 * DAY, 0));
        ahead.advance(at(31 * DAY + MINUTE, MINUTE));

        let kept = Some(ahead.to_keep().clone());
        let (mut right, told) = AgeClock::resume(kept, at(10 * MINUTE, 0));

        assert!(told.is_some(), "it went back");
        right.advance(at(130 * MINUTE, 120 * MINUTE));
        assert!(right.age_ms() < 140 * MINUTE, "{}", right.age_ms());
    }

    proptest! {
        /// While a process runs, setting the wall clock has no effect, in whatever steps.
        #[test]
        fn running_time_is_what_the_steady_clock_says(
            steps in prop::collection::vec((0_i64..DAY, any::<i32>()), 1..50),
        ) {
            let (mut clock, _) = AgeClock::resume(None, at(0, 0));
            let mut ran = 0;
            for (run, wall) in steps {
                ran += run;
                clock.advance(at(i64::from(wall) * 1000, ran));
                prop_assert_eq!(clock.age_ms(), ran);
            }
        }

        /// Over runs and pauses: a pause counts only after an hour of running, and the age only
        /// grows.
        #[test]
        fn nothing_counts_in_the_hour_after_a_pause(
            runs in prop::collection::vec((any::<i32>(), prop::collection::vec(1_i64..20 * MINUTE, 1..12)), 1..20),
        ) {
            let mut kept = None;
            let mut last = 0;
            let mut longest_run = 0;
            for (wall, steps) in runs {
                let wall = i64::from(wall) * 1000;
                let (mut clock, _) = AgeClock::resume(kept, at(wall, 0));
                prop_assert!(clock.age_ms() <= last + SHORT_PAUSE_MS);
                let begun = clock.age_ms();
                let mut ran = 0;
                for step in steps {
                    ran += step;
                    longest_run = i64::max(longest_run, ran);
                    clock.advance(at(wall + ran, ran));
                    prop_assert!(clock.age_ms() >= last);
                    last = clock.age_ms();
                }
                if kept_is_fresh(&clock) {
                    prop_assert!(last >= begun + ran);
                }
                kept = Some(clock.to_keep().clone());
            }
        }
    }

    fn kept_is_fresh(clock: &AgeClock) -> bool {
        clock.kept.pauses.len() <= MAX_PAUSES
    }
}
