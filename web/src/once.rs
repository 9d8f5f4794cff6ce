//! Tokens that open the page once, and soon: for a URL that other programs get to see, such as in the
//! list of processes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

/// How long one is good.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// Tokens that wait to be used; the oldest gives way.
const MAX_WAITING: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct OneTimeTokens(Mutex<Vec<(Instant, SecretString)>>);

impl OneTimeTokens {
    /// Another one is good from now on.
    pub(crate) fn add(&self, token: SecretString) {
        let mut waiting = self.lock();
        if waiting.len() >= MAX_WAITING {
            waiting.remove(0);
        }
        waiting.push((Instant::now(), token));
    }

    /// Whether the one that `is_it` knows is good, which it then is no longer.
    pub(crate) fn take(&self, is_it: impl Fn(&SecretString) -> bool) -> bool {
        let mut waiting = self.lock();
        waiting.retain(|(since, _)| since.elapsed() <= GOOD_FOR);
        let before = waiting.len();
        waiting.retain(|(_, token)| !is_it(token));
        waiting.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, SecretString)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_good_once_and_for_a_minute_and_few_wait() {
        let tokens = OneTimeTokens::default();
        let is = |text: &'static str| move |token: &SecretString| token.expose_secret() == text;
        tokens.add("a".into());
        assert!(!tokens.take(is("b")));
        assert!(tokens.take(is("a")) && !tokens.take(is("a")));
        tokens.add("late".into());
        tokio::time::advance(GOOD_FOR + Duration::from_secs(1)).await;
        assert!(!tokens.take(is("late")));
        tokens.add("first".into());
        for _ in 0..MAX_WAITING {
            tokens.add("more".into());
        }
        assert!(!tokens.take(is("first")));
    }
}
