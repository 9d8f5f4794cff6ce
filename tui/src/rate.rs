//! How many events arrive: per minute, and as a sparkline of the last minute. Counts places in the
//! history, which grow by one an event, so that nothing has to be read for it.

use jiff::Timestamp;
use podtap_agent::history::Position;

/// Seconds of a bar.
const BAR_SECONDS: i64 = 5;

/// Bars: together a minute.
const BARS: usize = 12;

/// Arrivals of the last minute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rate {
    newest: Option<Position>,
    /// The number of the newest bar since the epoch.
    current: i64,
    /// Arrivals in each bar, oldest first.
    bars: [u64; BARS],
}

impl Rate {
    /// Starts with what the history knows of the last minute: the newest place, and when events
    /// arrived.
    pub(crate) fn start(
        &mut self,
        newest: Option<Position>,
        arrivals: impl Iterator<Item = Timestamp>,
        now: Timestamp,
    ) {
        self.tick(now);
        if self.newest.is_some() {
            return;
        }
        self.newest = newest;
        for arrival in arrivals {
            let ago = self.current - arrival.as_second().div_euclid(BAR_SECONDS);
            let back = usize::try_from(ago).unwrap_or(0);
            if let Some(bar) = self.bars.iter_mut().rev().nth(back) {
                *bar += 1;
            }
        }
    }

    /// The newest event is at this place now.
    pub(crate) fn newest(&mut self, position: Position, now: Timestamp) {
        self.tick(now);
        let before = self.newest.replace(position).unwrap_or(position);
        let arrived = u64::try_from(position.0.saturating_sub(before.0)).unwrap_or(0);
        if let Some(bar) = self.bars.last_mut() {
            *bar = bar.saturating_add(arrived);
        }
    }

    /// It is this late: old bars leave. Says whether the picture has changed.
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

    /// Arrivals in the last minute.
    pub(crate) fn per_minute(&self) -> u64 {
        self.bars.iter().sum()
    }

    /// The last minute as a row of bars.
    pub(crate) fn sparkline(&self) -> String {
        const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = self.bars.iter().copied().max().unwrap_or(0).max(1);
        let level = |bar: &u64| match bar {
            0 => ' ',
            bar => {
                let level = usize::try_from(bar.saturating_mul(8).div_ceil(most)).unwrap_or(8);
                LEVELS.get(level - 1).copied().unwrap_or('█')
            }
        };
        self.bars.iter().map(level).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_picture_starts_with_what_the_history_knows() {
        let mut rate = Rate::default();
        rate.start(
            Some(Position(9)),
            [at(100), at(96), at(94), at(9)].into_iter(),
            at(102),
        );
        assert_eq!(rate.per_minute(), 3);
        rate.newest(Position(10), at(103));
        assert_eq!(rate.sparkline(), "         ▄▄█");
    }

    #[test]
    fn arrivals_leave_the_picture_after_a_minute() {
        let mut rate = Rate::default();
        rate.newest(Position(1_000), at(100));
        assert_eq!(rate.per_minute(), 0, "what was there before is no arrival");
        rate.newest(Position(1_008), at(101));
        rate.newest(Position(1_012), at(106));
        assert_eq!(rate.per_minute(), 12);
        assert_eq!(rate.sparkline(), "          █▄");
        assert!(rate.tick(at(111)));
        assert_eq!(rate.sparkline(), "         █▄ ");
        rate.tick(at(161));
        assert_eq!((rate.per_minute(), rate.tick(at(300))), (4, true));
        assert!(!rate.tick(at(400)), "a quiet minute is not drawn again");
    }
}
