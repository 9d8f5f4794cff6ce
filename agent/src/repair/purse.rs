//! Limits the calls of a repair: a fifth of the hour's calls is reserved for everything else. Pure.

use podtap_podio::client::RateLimit;

/// Divisor of the hour's calls for the reserved part: one fifth.
const KEPT_SHARE: u64 = 5;

/// A class of calls. Podio counts the two classes separately (podio.md 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallClass {
    /// Most calls.
    General,
    /// Calls with a lower limit: the filter of items.
    Limited,
}

/// What is known about each class.
#[derive(Debug, Default)]
pub(super) struct Purse {
    general: Option<RateLimit>,
    limited: Option<RateLimit>,
}

impl Purse {
    /// Creates a purse from the newest answer to any caller. The class of that answer is unknown,
    /// so it counts for both classes until another answer is known.
    pub(super) fn new(known: Option<RateLimit>) -> Self {
        Self {
            general: known,
            limited: known,
        }
    }

    /// Returns the limit that forbids one more call; `None` if the call may be made. Before any
    /// answer nothing is known, and the first call is allowed.
    pub(super) fn blocking_limit(&self, class: CallClass) -> Option<RateLimit> {
        let known = match class {
            CallClass::General => self.general,
            CallClass::Limited => self.limited,
        };
        known.filter(|rate| {
            let kept = rate.limit.div_ceil(KEPT_SHARE);
            rate.remaining <= kept
        })
    }

    /// Stores the rate limit in the answer to a call of this class.
    pub(super) fn note(&mut self, class: CallClass, rate: RateLimit) {
        let known = match class {
            CallClass::General => &mut self.general,
            CallClass::Limited => &mut self.limited,
        };
        *known = Some(rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rate(limit: u64, remaining: u64) -> RateLimit {
        RateLimit { limit, remaining }
    }

    #[test]
    fn a_fifth_is_left_of_each_class() {
        for (limit, remaining, may) in [
            (1_000, 201, true),
            (1_000, 200, false),
            (1_000, 0, false),
            (7, 3, true),
            (7, 2, false),
            (0, 0, false),
            (1, 1, false),
        ] {
            let purse = Purse::new(Some(rate(limit, remaining)));
            let is_open = purse.blocking_limit(CallClass::General).is_none();
            assert_eq!(is_open, may, "{remaining} of {limit}");
        }
    }

    #[test]
    fn the_classes_are_counted_apart_once_each_has_told() {
        let mut purse = Purse::new(None);
        assert_eq!(purse.blocking_limit(CallClass::Limited), None);
        purse.note(CallClass::Limited, rate(250, 50));
        assert_eq!(
            purse.blocking_limit(CallClass::Limited),
            Some(rate(250, 50))
        );
        assert_eq!(purse.blocking_limit(CallClass::General), None);
    }
}
