//! One-time tokens that open the page for a short time. They are for URLs that other programs can
//! see, for example in the list of processes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

/// How long a token is valid.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// Maximum number of unused tokens. Above that, the oldest is dropped.
const MAX_WAITING: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct OneTimeTokens(Mutex<Vec<(Instant, SecretString)>>);

impl OneTimeTokens {
    /// Adds a token, which is valid from now on.
    pub(crate) fn add(&self, token: SecretString) {
        let mut waiting = self.lock();
        if waiting.len() >= MAX_WAITING {
            waiting.remove(0);
        }
        waiting.push((Instant::now(), token));
    }

    /// Returns whether a token for which `is_it` returns true is valid, and removes it.
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
