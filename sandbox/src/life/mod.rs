//! Simulates people at work: a continuous stream of changes, for demos and long runs.
//!
//! It works on any seed, because it chooses values by the types of fields. The same random
//! seed and world cause the same changes, but at other times. Old objects are deleted, so
//! that it can run for days.

mod phrases;
mod step;

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Handle;

/// Amount of changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LifePace {
    /// Average number of changes per second. Most changes cause one event for each hook that
    /// watches.
    pub per_second: f64,
    /// Seed of all random choices.
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

/// Maximum time between two changes, at any pace.
const LONGEST_GAP: Duration = Duration::from_mins(1);

/// Maximum delay of changes that is still caught up.
const MAX_BEHIND: Duration = Duration::from_secs(1);

/// Makes changes until `token` is cancelled. Each has a scheduled time, so that the
/// duration of a change does not reduce the rate.
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

/// Returns the time to the next change. Changes are independent, so there are bursts and
/// pauses, as with real people.
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
