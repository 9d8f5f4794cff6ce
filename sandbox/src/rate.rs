//! Implements Podio's rate limits (podio.md 4.3): calls per hour, user and client. Pure.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use podtap_podio::client::RateLimit;

/// Maximum numbers of calls per window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRates {
    /// Limit for all operations except the limited ones.
    pub general: u64,
    /// Limit for operations that Podio marks "Rate limited": filtering items is the only known one.
    pub limited: u64,
    /// Length of the window, one hour at Podio. It begins with the first call; when Podio's
    /// begins is unknown.
    pub window: Duration,
}

impl Default for CallRates {
    fn default() -> Self {
        Self {
            general: 1_000,
            limited: 250,
            window: Duration::from_hours(1),
        }
    }
}

/// Class of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RateClass {
    General,
    Limited,
}

/// Result of counting a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CountedCall {
    /// Limit for the headers of the answer.
    pub(super) limit: RateLimit,
    /// Time that the caller has to wait, or `None` if the call is allowed.
    pub(super) wait: Option<Duration>,
}

/// Calls of all callers.
#[derive(Debug)]
pub(super) struct RateBook {
    rates: CallRates,
    windows: HashMap<String, RateWindow>,
}

#[derive(Debug)]
struct RateWindow {
    began: Timestamp,
    general: u64,
    limited: u64,
}

impl RateBook {
    pub(super) fn new(rates: CallRates) -> Self {
        Self {
            rates,
            windows: HashMap::new(),
        }
    }

    /// Counts a call of `caller`. If one class is used up, every call is refused until the
    /// window ends, as in Podio's documentation.
    pub(super) fn count(&mut self, caller: &str, class: RateClass, now: Timestamp) -> CountedCall {
        let fresh = || RateWindow {
            began: now,
            general: 0,
            limited: 0,
        };
        let window = self.windows.entry(caller.to_owned()).or_insert_with(fresh);
        let end = window.began.saturating_add(self.rates.window);
        let end = end.unwrap_or(Timestamp::MAX);
        if end <= now {
            *window = fresh();
        }
        let (used, limit) = match class {
            RateClass::General => (&mut window.general, self.rates.general),
            RateClass::Limited => (&mut window.limited, self.rates.limited),
        };
        *used = used.saturating_add(1);
        let limit = RateLimit {
            limit,
            remaining: limit.saturating_sub(*used),
        };
        let exceeded = window.general > self.rates.general || window.limited > self.rates.limited;
        let left = now.duration_until(end).unsigned_abs();
        CountedCall {
            limit,
            wait: exceeded.then_some(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn once_a_class_is_used_up_every_call_waits_for_the_end_of_the_window() {
        let mut book = RateBook::new(CallRates {
            general: 10,
            limited: 2,
            window: Duration::from_mins(1),
        });
        assert_eq!(
            book.count("ada", RateClass::Limited, at(0)).limit.remaining,
            1
        );
        assert_eq!(book.count("ada", RateClass::Limited, at(1)).wait, None);
        let refused = book.count("ada", RateClass::Limited, at(2));
        assert_eq!(refused.wait, Some(Duration::from_secs(58)));
        assert!(book.count("ada", RateClass::General, at(3)).wait.is_some());
        assert!(book.count("bob", RateClass::General, at(3)).wait.is_none());
        assert!(book.count("ada", RateClass::General, at(60)).wait.is_none());
    }
}
