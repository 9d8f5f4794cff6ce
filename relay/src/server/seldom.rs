//! Limits log lines that any client could cause to one per minute, which reports how often
//! the event happened.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Minimum time between two lines.
const PERIOD: Duration = Duration::from_mins(1);

/// Counts occurrences and decides when to log them.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<SeldomState>);

#[derive(Debug, Default)]
struct SeldomState {
    count: u64,
    told_at: Option<Instant>,
}

impl Seldom {
    /// Counts an occurrence. If a line is due now, returns the number of occurrences since the
    /// last line.
    pub(super) fn count(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        let is_due = state.told_at.is_none_or(|at| now - at >= PERIOD);
        is_due.then(|| {
            state.told_at = Some(now);
            std::mem::take(&mut state.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_one_line_a_minute() {
        let seldom = Seldom::default();
        let start = Instant::now();
        assert_eq!(seldom.count(start), Some(1));
        for _ in 0..99 {
            assert_eq!(seldom.count(start), None);
        }
        assert_eq!(seldom.count(start + PERIOD), Some(100));
    }
}
