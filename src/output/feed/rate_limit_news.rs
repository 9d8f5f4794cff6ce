//! Decides when Podio's rate limit is worth a line: not at each call. Pure.

use podtap_podio::client::CallBudget;

/// Number of parts of the limit; a line is printed when one is used up.
const PARTS: u64 = 10;

/// The state that was printed last.
#[derive(Debug, Default)]
pub(super) struct RateLimitNews(Option<CallBudget>);

impl RateLimitNews {
    /// Returns the limit if it must be printed now: the first time, when a tenth is used
    /// up, when a new hour begins, and when Podio refuses all calls or accepts them again.
    pub(super) fn news(&mut self, now: Option<CallBudget>) -> Option<CallBudget> {
        let now = now?;
        let is_news = self.0.as_ref().is_none_or(|before| {
            part(before) != part(&now)
                || before.limit != now.limit
                || before.remaining < now.remaining
                || before.closed_until != now.closed_until
        });
        is_news.then(|| *self.0.insert(now))
    }
}

fn part(budget: &CallBudget) -> u64 {
    let remaining = budget.remaining.saturating_mul(PARTS);
    remaining.checked_div(budget.limit).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_first_each_tenth_a_new_hour_and_a_refusal_are_news() {
        let budget = |remaining, closed_until| {
            Some(CallBudget {
                limit: 1_000,
                remaining,
                resets_by: Timestamp::UNIX_EPOCH,
                closed_until,
            })
        };
        let closed = Some(Timestamp::UNIX_EPOCH);
        let mut news = RateLimitNews::default();
        for (now, is_news) in [
            (None, false),
            (budget(999, None), true),
            (budget(998, None), false),
            (budget(900, None), false),
            (budget(899, None), true),
            (budget(0, None), true),
            (budget(0, closed), true),
            (budget(0, closed), false),
            (budget(1_000, None), true),
        ] {
            assert_eq!(news.news(now).is_some(), is_news, "{now:?}");
        }
    }
}
