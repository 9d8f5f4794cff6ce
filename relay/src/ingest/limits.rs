//! A tunnel's rate as a bucket of tokens. Pure: the time is passed in.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Rate;

/// Fills at a steady rate up to the burst; each webhook takes one.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    tokens: f64,
    filled_at: Option<Instant>,
}

impl Bucket {
    /// A bucket that nobody took anything out of.
    pub(crate) fn full(rate: Rate) -> Self {
        Self {
            rate,
            tokens: rate.burst.max(1.0),
            filled_at: None,
        }
    }

    /// Takes one, or says after which time there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let since = self
            .filled_at
            .replace(now)
            .map_or(Duration::ZERO, |at| now - at);
        let filled = self.tokens + since.as_secs_f64() * self.rate.per_second;
        self.tokens = filled.min(self.rate.burst.max(1.0));
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - self.tokens) / self.rate.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_the_steady_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Rate {
            per_second: 2.0,
            burst: 3.0,
        });
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(start + Duration::from_millis(500)), Ok(()));
        let much_later = start + Duration::from_hours(1);
        assert_eq!(
            (0..9).filter(|_| bucket.take(much_later).is_ok()).count(),
            3
        );
    }
}
