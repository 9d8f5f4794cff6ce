//! Decides when and how many times an event is sent: the disorder of podio.md 1.3. Pure.

use std::time::Duration;

use fastrand::Rng;

use crate::config::Disorder;

/// Time within which duplicates follow: five arrived within 1.6 s in the only recorded case.
const DUPLICATES_WITHIN: Duration = Duration::from_secs(2);
/// Maximum delay of an overtaken event; 0.33 s to 4.9 s were observed.
const OVERTAKEN_BY: Duration = Duration::from_secs(5);

/// Returns the delays of one event's sendings. Without disorder, it is sent once and at once.
pub(super) fn sendings(disorder: Disorder, rng: &mut Rng) -> Vec<Duration> {
    let mut first = disorder.delay.mul_f64(rng.f64());
    if rng.f64() < disorder.reordering {
        first += OVERTAKEN_BY.mul_f64(rng.f64());
    }
    let mut sendings = vec![first];
    if rng.f64() < disorder.duplicates {
        for _ in 0..rng.u8(1..=4) {
            sendings.push(first + DUPLICATES_WITHIN.mul_f64(rng.f64()));
        }
    }
    sendings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_disorder_an_event_is_sent_once_and_at_once() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..100 {
            let sendings = sendings(Disorder::default(), &mut rng);
            assert_eq!(sendings, [Duration::ZERO]);
        }
    }

    #[test]
    fn disorder_stays_within_what_was_seen() {
        let disorder = Disorder {
            duplicates: 1.0,
            reordering: 1.0,
            delay: Duration::from_mins(1),
        };
        let mut rng = Rng::with_seed(1);
        for _ in 0..100 {
            let sendings = sendings(disorder, &mut rng);
            assert!((2..=5).contains(&sendings.len()));
            assert!(sendings.iter().all(|wait| *wait <= Duration::from_secs(67)));
        }
    }
}
