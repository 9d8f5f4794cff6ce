//! People at work: an unattended stream of changes, for demos and long runs.
//!
//! Works on any seed, since it goes by the types of fields. Seeded: the same seed and world make
//! the same changes, at other times. What piles up is cleared away, so that it can run for days.

mod phrases;
mod step;

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Handle;

/// How much happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LifePace {
    /// Changes a second, on average; most make one event for each hook that watches.
    pub per_second: f64,
    /// Seeds every choice.
    pub random_seed: u64,
}

impl Default for LifePace {
    fn default() -> Self {
        Self {
            per_second: 1.0,
            random_seed: 1,
        }
    }
}

/// Longest wait between two changes, at any pace.
const LONGEST_GAP: Duration = Duration::from_mins(1);

/// How far changes may fall behind their times and still be caught up with.
const MAX_BEHIND: Duration = Duration::from_secs(1);

/// Makes changes until `token` is cancelled. Each has its time, so that what one takes does not slow
/// the pace down.
pub async fn run(handle: Handle, pace: LifePace, token: CancellationToken) {
    let mut rng = Rng::with_seed(pace.random_seed);
    let work = async {
        let mut due = Instant::now();
        loop {
            due += gap(pace.per_second, &mut rng);
            due = due.max(Instant::now().checked_sub(MAX_BEHIND).unwrap_or(due));
            sleep_until(due).await;
            handle
                .shared
                .change(|world| step::step(world, &mut rng))
                .await;
        }
    };
    token.run_until_cancelled(work).await;
}

/// Independent arrivals: bursts and pauses, as of real people.
fn gap(per_second: f64, rng: &mut Rng) -> Duration {
    let seconds = -(1.0 - rng.f64()).ln() / per_second;
    Duration::try_from_secs_f64(seconds).map_or(LONGEST_GAP, |gap| gap.min(LONGEST_GAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gaps_average_to_the_pace() {
        let mut rng = Rng::with_seed(1);
        let total: Duration = (0..10_000).map(|_| gap(10.0, &mut rng)).sum();
        assert!((900..1_100).contains(&total.as_secs()), "{total:?}");
    }

    #[test]
    fn a_pace_of_nothing_waits_and_does_not_panic() {
        let mut rng = Rng::with_seed(1);
        assert_eq!(gap(0.0, &mut rng), LONGEST_GAP);
        assert_eq!(gap(-1.0, &mut rng), LONGEST_GAP);
    }
}
