//! Lines in the log that anybody could cause: one a minute, which says for how many it stands.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often the same is worth a line.
const PERIOD: Duration = Duration::from_mins(1);

/// Counts what happens and says when to tell it.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    count: u64,
    told_at: Option<Instant>,
}

impl Seldom {
    /// Counts one. How many there were since the last line, if one is due now.
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
