//! Shows how many events arrive through the tunnel, per minute and as a sparkline of the last
//! minute, and how fast the local service answers. The history counts the arrivals, so that
//! filters, imports and a paused screen do not change the numbers.

mod effect;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::{Arrivals, Position};

use crate::chart;

pub(crate) use effect::{RateAnswer, RateEffect, run};

/// Seconds per bar.
const BAR_SECONDS: i64 = 5;

/// Number of bars, which together show one minute.
const BARS: usize = 12;

/// Minimum number of deliveries for a meaningful percentile.
const ENOUGH: usize = 5;

/// The arrivals of the last minute.
#[derive(Debug, Clone)]
pub(crate) struct ArrivalRate {
    newest: Option<Position>,
    /// The number of the newest bar since the epoch.
    current: i64,
    /// Arrivals in each bar, oldest first.
    bars: [u64; BARS],
    /// Number of imported and triggered events since the start.
    others: u64,
    /// The duration below which 95 % of the latest deliveries stayed.
    slow: Option<Duration>,
    /// Whether there may be more events to count,
    stale: bool,
    /// and whether they are being counted.
    asked: bool,
}

impl Default for ArrivalRate {
    fn default() -> Self {
        Self {
            newest: None,
            current: 0,
            bars: [0; BARS],
            others: 0,
            slow: None,
            stale: true,
            asked: false,
        }
    }
}

impl ArrivalRate {
    /// Records that there may be more events in the history, or other outcomes.
    pub(crate) fn on_change(&mut self) {
        self.stale = true;
    }

    /// Returns the request to count, if it is necessary.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Option<RateEffect> {
        if !self.stale || self.asked {
            return None;
        }
        (self.stale, self.asked) = (false, true);
        let bars = BAR_SECONDS * i64::try_from(BARS).unwrap_or(i64::MAX);
        let since = now.saturating_sub(SignedDuration::from_secs(bars));
        Some(RateEffect::CountArrivals {
            after: self.newest,
            since: since.unwrap_or(now),
        })
    }

    /// Handles an answer.
    pub(crate) fn on_answer(&mut self, answer: RateAnswer, now: Timestamp) {
        let RateAnswer::Arrivals { result } = answer;
        self.on_arrivals(result, now);
    }

    /// Handles the count. Events that could not be counted are counted after the next change.
    fn on_arrivals(&mut self, result: Result<Arrivals, String>, now: Timestamp) {
        self.asked = false;
        let Ok(arrivals) = result else { return };
        self.tick(now);
        // New events count as arrived now, because the clock of the relay
        // that accepted them may differ.
        let is_first = self.newest.replace(arrivals.newest).is_none();
        for (second, many) in arrivals.seconds {
            let ago = self.current - second.div_euclid(BAR_SECONDS);
            let back = usize::try_from(ago).unwrap_or(0);
            let back = if is_first { back } else { 0 };
            if let Some(bar) = self.bars.iter_mut().rev().nth(back) {
                *bar = bar.saturating_add(many);
            }
        }
        self.others += arrivals.others;
        self.slow = percentile_95(arrivals.durations);
    }

    /// Returns the newest position of the history, once it is known.
    pub(crate) fn newest(&self) -> Option<Position> {
        self.newest
    }

    /// Returns the number of events that were imported or triggered since the start.
    pub(crate) fn others(&self) -> u64 {
        self.others
    }

    /// Returns the duration below which 95 % of the latest deliveries stayed.
    pub(crate) fn slow(&self) -> Option<Duration> {
        self.slow
    }

    /// Handles a tick of the clock: removes old bars. Returns whether the sparkline has changed.
    pub(crate) fn tick(&mut self, now: Timestamp) -> bool {
        let bar = now.as_second().div_euclid(BAR_SECONDS);
        let passed = usize::try_from(bar - self.current).unwrap_or(0).min(BARS);
        self.current = bar;
        let was_quiet = self.per_minute() == 0;
        self.bars.rotate_left(passed);
        self.bars
            .iter_mut()
            .rev()
            .take(passed)
            .for_each(|bar| *bar = 0);
        passed > 0 && !was_quiet
    }

    /// Returns the number of arrivals in the last minute.
    pub(crate) fn per_minute(&self) -> u64 {
        self.bars.iter().sum()
    }

    /// Returns the last minute as a row of bars.
    pub(crate) fn sparkline(&self) -> String {
        chart::sparkline(&self.bars)
    }
}

fn percentile_95(mut durations: Vec<Duration>) -> Option<Duration> {
    if durations.len() < ENOUGH {
        return None;
    }
    let at = (durations.len() * 95 / 100).min(durations.len() - 1);
    let (_, found, _) = durations.select_nth_unstable(at);
    Some(*found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn arrivals(newest: i64, seconds: &[(i64, u64)]) -> Arrivals {
        Arrivals {
            newest: Position(newest),
            seconds: seconds.to_vec(),
            ..Arrivals::default()
        }
    }

    #[test]
    fn the_picture_starts_with_what_the_history_knows() {
        let mut rate = ArrivalRate::default();
        rate.on_arrivals(
            Ok(arrivals(9, &[(100, 1), (96, 1), (94, 1), (9, 7)])),
            at(102),
        );
        assert_eq!(rate.per_minute(), 3);
        rate.on_arrivals(Ok(arrivals(10, &[(103, 1)])), at(103));
        assert_eq!(rate.sparkline(), "         ▄▄█");
    }

    #[test]
    fn the_first_event_counts_and_what_was_imported_does_not() {
        let mut rate = ArrivalRate::default();
        rate.on_arrivals(Ok(arrivals(0, &[])), at(100));
        rate.on_arrivals(Ok(arrivals(1, &[(101, 1)])), at(101));
        assert_eq!(rate.per_minute(), 1);
        let imported = Arrivals {
            newest: Position(150_001),
            others: 150_000,
            ..Arrivals::default()
        };
        rate.on_arrivals(Ok(imported), at(102));
        assert_eq!((rate.per_minute(), rate.others()), (1, 150_000));
    }

    #[test]
    fn one_count_is_asked_for_at_a_time() {
        let mut rate = ArrivalRate::default();
        assert!(rate.ask(at(100)).is_some());
        rate.on_change();
        assert_eq!(rate.ask(at(100)), None);
        rate.on_arrivals(Err("busy".to_owned()), at(100));
        assert!(rate.ask(at(100)).is_some());
    }

    #[test]
    fn arrivals_leave_the_picture_after_a_minute() {
        let mut rate = ArrivalRate::default();
        rate.on_arrivals(Ok(arrivals(1_000, &[])), at(100));
        assert_eq!(rate.per_minute(), 0, "what was there before is no arrival");
        rate.on_arrivals(Ok(arrivals(1_008, &[(101, 8)])), at(101));
        rate.on_arrivals(Ok(arrivals(1_012, &[(106, 4)])), at(106));
        assert_eq!(rate.per_minute(), 12);
        assert_eq!(rate.sparkline(), "          █▄");
        assert!(rate.tick(at(111)));
        assert_eq!(rate.sparkline(), "         █▄ ");
        rate.tick(at(161));
        assert_eq!((rate.per_minute(), rate.tick(at(300))), (4, true));
        assert!(!rate.tick(at(400)), "a quiet minute is not drawn again");
    }
}
