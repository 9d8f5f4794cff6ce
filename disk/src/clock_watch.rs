//! Detects that the wall clock was set, by comparing it with a clock that cannot be set.
//! Pure; the caller reads the clocks.

use crate::age::{Jump, Now, TOLERANCE_MS};

/// Both clocks at the last check.
#[derive(Debug, Clone)]
pub struct ClockWatch {
    last: Now,
}

impl ClockWatch {
    /// Starts to watch at this moment.
    pub fn new(now: Now) -> Self {
        Self { last: now }
    }

    /// Returns how far the wall clock was set since the last check, if that is more than a
    /// correction.
    pub fn observe(&mut self, now: Now) -> Option<Jump> {
        let last = std::mem::replace(&mut self.last, now);
        let passed = now.steady.saturating_sub(last.steady).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let by = now
            .wall_ms
            .saturating_sub(last.wall_ms)
            .saturating_sub(passed);
        (by.abs() > TOLERANCE_MS).then_some(Jump(by))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_once_and_one_that_is_corrected_is_not() {
        let at = |wall_ms, steady| Now {
            wall_ms,
            steady: Duration::from_millis(steady),
        };
        let day = 24 * 60 * 60 * 1000;
        let mut watch = ClockWatch::new(at(0, 0));
        for (wall_ms, steady, expected) in [
            (1_000, 1_000, None),
            // A small correction.
            (3_000 + TOLERANCE_MS, 3_000, None),
            (day + 4_000 + TOLERANCE_MS, 4_000, Some(day)),
            (day + 5_000 + TOLERANCE_MS, 5_000, None),
            // The machine slept: both clocks continued.
            (
                2 * day + 5_000 + TOLERANCE_MS,
                5_000 + 24 * 60 * 60 * 1000,
                None,
            ),
            (
                0,
                6_000 + 24 * 60 * 60 * 1000,
                Some(-2 * day - 6_000 - TOLERANCE_MS),
            ),
        ] {
            let told = watch.observe(at(wall_ms, steady)).map(|Jump(by)| by);
            assert_eq!(told, expected, "{wall_ms} {steady}");
        }
    }
}
