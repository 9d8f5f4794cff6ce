//! Limits rates with token buckets: a single one, or one for each of many keys. Pure: the
//! time is an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Rate;

/// A bucket that fills at a steady rate up to the burst. Each webhook takes one token.
#[derive(Debug)]
struct TokenBucket {
    rate: Rate,
    tokens: f64,
    filled_at: Option<Instant>,
}

impl TokenBucket {
    /// Returns a full bucket.
    fn full(rate: Rate) -> Self {
        Self {
            rate,
            tokens: rate.burst.max(1.0),
            filled_at: None,
        }
    }

    /// Takes one token, or returns the time until there is one.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.check(now)?;
        self.tokens -= 1.0;
        Ok(())
    }

    /// Checks whether there is a token, or returns the time until there is one.
    fn check(&mut self, now: Instant) -> Result<(), Duration> {
        let since = self
            .filled_at
            .replace(now)
            .map_or(Duration::ZERO, |at| now - at);
        let filled = self.tokens + since.as_secs_f64() * self.rate.per_second;
        self.tokens = filled.min(self.rate.burst.max(1.0));
        if self.tokens >= 1.0 {
            return Ok(());
        }
        let wait = (1.0 - self.tokens) / self.rate.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

/// Maximum number of buckets to remember, in each of two generations.
const MAX_KEYS: usize = 32 * 1024;

/// Buckets of the same rate, one for each key. Clients choose the keys, so only those that were
/// seen recently are remembered. A key that returns after many others starts with a full bucket.
#[derive(Debug)]
pub(crate) struct KeyedRates<K> {
    rate: Rate,
    generations: Mutex<Generations<K>>,
}

#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, TokenBucket>,
    old: HashMap<K, TokenBucket>,
}

impl<K: Eq + Hash> KeyedRates<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            generations: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
            }),
        }
    }

    /// Takes one token from this key's bucket, or returns the time until there is one.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        self.with(key, |bucket| bucket.take(now))
    }

    /// Checks whether there is a token in this key's bucket, or returns the time until there is
    /// one.
    pub(crate) fn check(&self, key: K, now: Instant) -> Result<(), Duration> {
        self.with(key, |bucket| bucket.check(now))
    }

    fn with<T>(&self, key: K, work: impl FnOnce(&mut TokenBucket) -> T) -> T {
        let lock = self.generations.lock();
        let mut generations = lock.unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        if young.len() >= MAX_KEYS && !young.contains_key(&key) {
            *old = std::mem::take(young);
        }
        let known = old.remove(&key);
        let bucket = young.entry(key).or_insert_with(|| match known {
            Some(bucket) => bucket,
            None => TokenBucket::full(self.rate),
        });
        work(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_has_a_bucket_and_the_buckets_are_bounded() {
        let now = Instant::now();
        let rates = KeyedRates::new(Rate {
            per_second: 1.0,
            burst: 2.0,
        });
        for key in 0..2 {
            assert!(rates.take(key, now).is_ok() && rates.take(key, now).is_ok());
            assert_eq!(rates.take(key, now), Err(Duration::from_secs(1)));
        }
        for key in 2..MAX_KEYS + 9 {
            assert!(rates.take(key, now).is_ok());
        }
        assert!(rates.take(0, now).is_err(), "moved to the old generation");
        for key in MAX_KEYS..4 * MAX_KEYS {
            let _ = rates.take(key, now);
        }
        let generations = rates.generations.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= 2 * MAX_KEYS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_the_steady_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::full(Rate {
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
