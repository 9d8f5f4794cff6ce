//! Computes a histogram of the local service's answer times. The buckets grow, and one of their
//! edges is the time for which Podio waits. Pure.

use std::time::Duration;

use podtap_podio::standing::ANSWER_LIMIT;

/// Upper edges of the buckets in milliseconds: 1, 2, 5 and so on, and Podio's limit.
const EDGES: [u64; 16] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000,
];

/// Answer times of deliveries to the tunnel's own local service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerTimes {
    /// Every bucket, the shortest times first, empty
    /// ones included; no buckets if nothing was counted.
    pub buckets: Vec<Bucket>,
    /// Number of answered deliveries.
    pub answered: u64,
    /// Number of deliveries without an answer: no connection, a lost one, or a timeout.
    pub unanswered: u64,
    /// Number of deliveries that took longer than the 15 s for which Podio waits, answered or not.
    pub over_limit: u64,
    /// Median of the answers; `None` without an answer, as for the two fields below.
    pub p50: Option<Duration>,
    /// 95th percentile of the answers.
    pub p95: Option<Duration>,
    /// The slowest answer.
    pub max: Option<Duration>,
}

/// The number of answers that took longer than the previous bucket's edge, and at most this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The upper edge, inclusive; `None` for the last bucket, which has none.
    pub up_to: Option<Duration>,
    /// Number of answers.
    pub count: u64,
}

impl AnswerTimes {
    /// Computes the histogram of these deliveries, each
    /// with its duration and whether it was answered.
    pub(super) fn of(deliveries: impl IntoIterator<Item = (Duration, bool)>) -> Self {
        let mut times = Self::default();
        let mut answers = Vec::new();
        for (duration, is_answered) in deliveries {
            times.over_limit += u64::from(duration > ANSWER_LIMIT);
            if is_answered {
                answers.push(duration);
            } else {
                times.unanswered += 1;
            }
        }
        if answers.is_empty() {
            return times;
        }
        answers.sort_unstable();
        times.answered = answers.len() as u64;
        times.buckets = buckets(&answers);
        times.p50 = percentile(&answers, 50);
        times.p95 = percentile(&answers, 95);
        times.max = answers.last().copied();
        times
    }

    /// Returns the fraction of deliveries, from 0 to 1, that took longer than Podio waits.
    pub fn share_over_limit(&self) -> f64 {
        let all = self.answered + self.unanswered;
        if all == 0 {
            return 0.0;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "thousands, and a share for a picture"
        )]
        let share = self.over_limit as f64 / all as f64;
        share
    }
}

/// Returns the buckets of sorted answer times.
fn buckets(answers: &[Duration]) -> Vec<Bucket> {
    let mut below = 0;
    let edges = EDGES.into_iter().map(Duration::from_millis).map(Some);
    let bucket = |up_to: Option<Duration>| {
        let through = up_to.map_or(answers.len(), |edge| {
            answers.partition_point(|answer| *answer <= edge)
        });
        let count = (through - below) as u64;
        below = through;
        Bucket { up_to, count }
    };
    edges.chain([None]).map(bucket).collect()
}

/// Returns a percentile of sorted answer times by the nearest rank.
fn percentile(answers: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (answers.len() * percent).div_ceil(100);
    answers.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer_times(millis: &[u64]) -> AnswerTimes {
        let deliveries = millis.iter().map(|ms| (Duration::from_millis(*ms), true));
        AnswerTimes::of(deliveries)
    }

    fn count(times: &AnswerTimes, up_to: Option<u64>) -> u64 {
        let up_to = up_to.map(Duration::from_millis);
        let bucket = times.buckets.iter().find(|bucket| bucket.up_to == up_to);
        bucket.unwrap().count
    }

    #[test]
    fn an_answer_is_in_the_bucket_whose_edge_it_does_not_pass() {
        let times = answer_times(&[1, 2, 3, 15_000, 15_001, 600_000]);
        assert_eq!(count(&times, Some(1)), 1);
        assert_eq!(count(&times, Some(2)), 1);
        assert_eq!(count(&times, Some(5)), 1);
        assert_eq!(count(&times, Some(15_000)), 1);
        assert_eq!(count(&times, Some(30_000)), 1);
        assert_eq!(count(&times, None), 1);
        assert_eq!((times.answered, times.over_limit), (6, 2));
    }

    #[test]
    fn what_was_never_answered_is_counted_apart_and_over_the_limit_if_it_took_that_long() {
        let seconds = Duration::from_secs;
        let times = AnswerTimes::of([
            (seconds(0), false),
            (seconds(30), false),
            (seconds(1), true),
            (seconds(2), true),
        ]);
        assert_eq!((times.answered, times.unanswered), (2, 2));
        assert!((times.share_over_limit() - 0.25).abs() < f64::EPSILON);
        assert_eq!(times.max, Some(seconds(2)));
    }

    #[test]
    fn nothing_has_no_buckets_and_no_times() {
        let times = answer_times(&[]);
        assert_eq!(times, AnswerTimes::default());
        assert!(times.share_over_limit().abs() < f64::EPSILON);
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let hundred: Vec<u64> = (1..=100).collect();
        let times = answer_times(&hundred);
        let millis = |ms| Some(Duration::from_millis(ms));
        assert_eq!(
            (times.p50, times.p95, times.max),
            (millis(50), millis(95), millis(100))
        );
        let one = answer_times(&[7]);
        assert_eq!(
            (one.p50, one.p95, one.max),
            (millis(7), millis(7), millis(7))
        );
    }

    proptest! {
        #[test]
        fn every_answer_is_in_one_bucket(millis in prop::collection::vec(0..200_000_u64, 0..200)) {
            let times = answer_times(&millis);
            let counted: u64 = times.buckets.iter().map(|bucket| bucket.count).sum();
            prop_assert_eq!(counted, millis.len() as u64);
            prop_assert!(times.p50 <= times.p95 && times.p95 <= times.max);
            let over = millis.iter().filter(|ms| **ms > 15_000).count() as u64;
            prop_assert_eq!(times.over_limit, over);
        }
    }
}
