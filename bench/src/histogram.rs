//! Counts latencies in buckets of a fixed relative width, so that runs of
//! any length use the same memory.

use std::time::Duration;

/// Number of buckets per power of two: an error of at most 1.6 %.
const STEPS: u64 = 64;
/// Number of buckets. They cover up to 2^40 ns, or eighteen minutes; longer
/// durations are counted in the last bucket.
const BUCKETS: usize = 35 * 64;

/// Counts of durations.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max: Duration::ZERO,
        }
    }
}

impl Histogram {
    /// Adds one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(ns).min(BUCKETS - 1)) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(duration);
    }

    /// Returns the duration, in milliseconds, that the part `share` (0 to 1)
    /// of all durations does not exceed.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a benchmark's counts are far below 2^52"
    )]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let rank = (share * self.total as f64).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank && seen > 0 {
                return upper_ns(index as u64).min(self.max.as_nanos() as u64) as f64 / 1e6;
            }
        }
        0.0
    }

    /// Returns what the benchmark script reads: count, p50, p99 and maximum.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "count": self.total,
            "p50_ms": self.quantile_ms(0.50),
            "p99_ms": self.quantile_ms(0.99),
            "max_ms": self.max.as_secs_f64() * 1e3,
        })
    }
}

fn bucket(ns: u64) -> usize {
    let power = u64::from(ns.max(STEPS).ilog2() - STEPS.ilog2());
    usize::try_from(power * STEPS + (ns >> power)).unwrap_or(usize::MAX)
}

fn upper_ns(bucket: u64) -> u64 {
    let power = (bucket / STEPS).saturating_sub(1);
    ((bucket - power * STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_within_its_bucket() {
        for ns in (0..5_000).chain([99_999, 1_234_567, 30_000_000_000]) {
            let upper = upper_ns(bucket(ns) as u64);
            assert!(upper >= ns && upper - ns <= ns / 32, "{ns} {upper}");
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::default();
        assert!(histogram.quantile_ms(0.5) < f64::EPSILON);
        for ms in 1..=100 {
            histogram.record(Duration::from_millis(ms));
        }
        assert!((histogram.quantile_ms(0.50) - 50.0).abs() < 1.6);
        assert!((histogram.quantile_ms(0.99) - 99.0).abs() < 3.2);
        assert!((histogram.quantile_ms(1.0) - 100.0).abs() < f64::EPSILON);
    }
}
