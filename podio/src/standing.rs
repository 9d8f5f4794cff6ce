//! Tracks a hook's standing with Podio, which depends on the
//! responses to its calls. Pure; the time is an argument.
//!
//! The sandbox uses it to deactivate hooks, and the agent to judge whether Podio would still call a
//! hook with these responses. Two independent readers of Podio's text report the thresholds
//! (podio.md 1.3), and so does an older interview. Podio's own page is not quoted in full anywhere.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

/// Maximum time for which Podio waits for a response: 15 s, reported (podio.md 1.3).
pub const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// The rule by which Podio stops calling a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The current rule: a number of failures within a time suspends the hook for a while.
    /// A larger number within a longer time disables it until it is verified again.
    Windows {
        /// The threshold of a suspension.
        suspend: Threshold,
        /// Duration of a suspension.
        pause: Duration,
        /// The threshold at which the hook is disabled.
        disable: Threshold,
    },
    /// The rule of 2013, still quoted in 2026: this
    /// number of consecutive failures disables the hook.
    Consecutive(usize),
}

/// A number of failures within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Number of failed calls.
    pub failures: usize,
    /// The time within which they happen.
    pub within: Duration,
}

impl Rule {
    /// 15 failures in 15 minutes pause the hook for 15 minutes; 200 in 7 days disable it.
    pub const CURRENT: Self = Self::Windows {
        suspend: Threshold {
            failures: 15,
            within: Duration::from_mins(15),
        },
        pause: Duration::from_mins(15),
        disable: Threshold {
            failures: 200,
            within: Duration::from_hours(7 * 24),
        },
    };

    /// 50 failures in a row.
    pub const OLD: Self = Self::Consecutive(50);

    /// Returns the maximum number of failures that can matter; older ones are forgotten.
    const fn memory(self) -> usize {
        match self {
            Self::Windows {
                suspend, disable, ..
            } => {
                if suspend.failures > disable.failures {
                    suspend.failures
                } else {
                    disable.failures
                }
            }
            Self::Consecutive(failures) => failures,
        }
    }
}

/// What Podio would do with a hook's next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Deliver it.
    Active,
    /// Do not call the hook until the suspension ends.
    Suspended {
        /// The end of the suspension.
        until: Timestamp,
    },
    /// Do not call the hook until it is verified again.
    Disabled,
}

/// The standing of one hook under one rule.
#[derive(Debug, Clone)]
pub struct Standing {
    rule: Rule,
    /// The times of failures, oldest first; at most `Rule::memory`.
    failures: VecDeque<Timestamp>,
    suspended_until: Option<Timestamp>,
    disabled: bool,
}

impl Standing {
    /// Returns the standing of a hook that was never called.
    pub const fn new(rule: Rule) -> Self {
        Self {
            rule,
            failures: VecDeque::new(),
            suspended_until: None,
            disabled: false,
        }
    }

    /// Records a call with a 2xx response in time. Calls
    /// must be recorded in the order of their times.
    pub fn record_success(&mut self) {
        if matches!(self.rule, Rule::Consecutive(_)) {
            self.failures.clear();
        }
    }

    /// Records a call that failed at `now`: another status, no response in time, or no connection.
    pub fn record_failure(&mut self, now: Timestamp) {
        self.failures.push_back(now);
        if self.failures.len() > self.rule.memory() {
            self.failures.pop_front();
        }
        match self.rule {
            Rule::Windows {
                suspend,
                pause,
                disable,
            } => {
                if self.exceeds(disable, now) {
                    self.disabled = true;
                } else if self.suspended_until.is_none_or(|until| until <= now)
                    && self.failures_since_pause(suspend, now) >= suspend.failures
                {
                    self.suspended_until = Some(later(now, pause));
                }
            }
            Rule::Consecutive(limit) => self.disabled |= self.failures.len() >= limit,
        }
    }

    /// Records another verification, which deletes all failures.
    pub fn record_verification(&mut self) {
        *self = Self::new(self.rule);
    }

    /// Returns what Podio would do at `now`.
    pub fn judge(&self, now: Timestamp) -> Judgement {
        match self.suspended_until {
            _ if self.disabled => Judgement::Disabled,
            Some(until) if now < until => Judgement::Suspended { until },
            _ => Judgement::Active,
        }
    }

    /// Returns the number of failures within `within` before `now`.
    pub fn failures_within(&self, within: Duration, now: Timestamp) -> usize {
        let newest = self.failures.iter().rev();
        newest.take_while(|&&at| later(at, within) > now).count()
    }

    fn exceeds(&self, threshold: Threshold, now: Timestamp) -> bool {
        self.failures_within(threshold.within, now) >= threshold.failures
    }

    /// Returns the number of failures since the last
    /// suspension: earlier ones do not count for the next one.
    fn failures_since_pause(&self, threshold: Threshold, now: Timestamp) -> usize {
        let since = self.suspended_until.unwrap_or(Timestamp::MIN);
        let newest = self.failures.iter().rev();
        newest
            .take_while(|&&at| later(at, threshold.within) > now && at >= since)
            .count()
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn fifteen_failures_in_fifteen_minutes_pause_a_hook_for_fifteen() {
        let mut standing = Standing::new(Rule::CURRENT);
        for second in 0..14 {
            standing.record_failure(at(second));
        }
        assert_eq!(standing.judge(at(14)), Judgement::Active);
        standing.record_failure(at(14));
        let until = at(14 + 900);
        assert_eq!(standing.judge(at(15)), Judgement::Suspended { until });
        assert_eq!(standing.judge(until), Judgement::Active);
        standing.record_failure(at(920));
        assert_eq!(standing.judge(at(921)), Judgement::Active);
    }

    #[test]
    fn failures_spread_thin_do_not_pause_a_hook() {
        let mut standing = Standing::new(Rule::CURRENT);
        for minute in 0..100 {
            standing.record_failure(at(minute * 70));
            assert_eq!(standing.judge(at(minute * 70)), Judgement::Active);
        }
        assert_eq!(
            standing.failures_within(Duration::from_mins(15), at(6_930)),
            13
        );
    }

    #[test]
    fn two_hundred_failures_in_a_week_disable_a_hook_until_it_is_verified() {
        let mut standing = Standing::new(Rule::CURRENT);
        for hour in 0..199 {
            standing.record_failure(at(hour * 3_000));
        }
        assert_eq!(standing.judge(at(600_000)), Judgement::Active);
        standing.record_failure(at(199 * 3_000));
        assert_eq!(standing.judge(at(10_000_000)), Judgement::Disabled);
        standing.record_verification();
        assert_eq!(standing.judge(at(600_000)), Judgement::Active);
    }

    #[test]
    fn by_the_old_rule_fifty_in_a_row_disable_and_one_success_clears() {
        let mut standing = Standing::new(Rule::OLD);
        for second in 0..49 {
            standing.record_failure(at(second));
        }
        standing.record_success();
        for second in 50..99 {
            standing.record_failure(at(second));
        }
        assert_eq!(standing.judge(at(99)), Judgement::Active);
        standing.record_failure(at(99));
        assert_eq!(standing.judge(at(99)), Judgement::Disabled);
    }
}
