//! The secrets that open the page: the token of a run, the session that a browser gets for it, and
//! the password of a page that other machines can reach.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::once::OneTimeTokens;

/// Number of random bytes in a token and in a session.
const RANDOM_BYTES: usize = 24;

/// Maximum number of passwords that wait to be checked. Further ones are refused.
const MAX_TRIES: usize = 8;

/// Time that a wrong password takes. Passwords are checked one at a time.
const WRONG_TAKES: Duration = Duration::from_secs(1);

/// The secrets of one run.
#[derive(Debug)]
pub(crate) struct PageSecrets {
    token: SecretString,
    session: SecretString,
    once: OneTimeTokens,
    password: Option<SecretString>,
    tries: Semaphore,
    one_at_a_time: Semaphore,
}

/// The result of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginOutcome {
    Right,
    Wrong,
    /// Too many passwords are being checked.
    Busy,
}

impl PageSecrets {
    pub(crate) fn new(password: Option<SecretString>) -> Result<Self, getrandom::Error> {
        Ok(Self {
            token: random()?,
            session: random()?,
            once: OneTimeTokens::default(),
            password,
            tries: Semaphore::new(MAX_TRIES),
            one_at_a_time: Semaphore::new(1),
        })
    }

    /// Returns the token for the URL that the person opens.
    pub(crate) fn token(&self) -> &str {
        self.token.expose_secret()
    }

    /// Returns the session for the cookie of a browser that has sent the token or the password.
    pub(crate) fn session(&self) -> &str {
        self.session.expose_secret()
    }

    /// Creates a token that works once and for a short time.
    pub(crate) fn one_time_token(&self) -> Result<String, getrandom::Error> {
        let token = random()?;
        let text = token.expose_secret().to_owned();
        self.once.add(token);
        Ok(text)
    }

    /// Returns whether this token opens the page. A one-time token is used up by this.
    pub(crate) fn is_token(&self, given: &str) -> bool {
        is_same(&self.token, given) || self.once.take(|token| is_same(token, given))
    }

    pub(crate) fn is_session(&self, given: &str) -> bool {
        is_same(&self.session, given)
    }

    /// Returns whether a password also opens the page.
    pub(crate) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Checks a password. Passwords are checked one at a time, and a wrong
    /// one takes [`WRONG_TAKES`].
    pub(crate) async fn login(&self, given: &str) -> LoginOutcome {
        let (Some(password), Ok(_waiting)) = (&self.password, self.tries.try_acquire()) else {
            return LoginOutcome::Busy;
        };
        let Ok(_turn) = self.one_at_a_time.acquire().await else {
            return LoginOutcome::Busy;
        };
        if is_same(password, given) {
            return LoginOutcome::Right;
        }
        sleep(WRONG_TAKES).await;
        LoginOutcome::Wrong
    }
}

fn random() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64URL_NOPAD.encode(&bytes).into())
}

/// Compares a secret in constant time, so that the time does not reveal how many bytes are correct.
fn is_same(secret: &SecretString, given: &str) -> bool {
    secret
        .expose_secret()
        .as_bytes()
        .ct_eq(given.as_bytes())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_secret_opens_its_own_door_and_no_debug_shows_it() {
        let access = PageSecrets::new(Some("horse".into())).unwrap();
        assert!(access.is_token(access.token()) && access.is_session(access.session()));
        assert!(!access.is_token(access.session()) && !access.is_session(""));
        assert_eq!(access.login("horse").await, LoginOutcome::Right);
        let shown = format!("{access:?}");
        for secret in [access.token(), access.session(), "horse"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_ne!(access.token(), PageSecrets::new(None).unwrap().token());
        let once = access.one_time_token().unwrap();
        assert!(access.is_token(&once) && !access.is_token(&once));
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_are_slow_and_few() {
        let access = std::sync::Arc::new(PageSecrets::new(Some("horse".into())).unwrap());
        let begun = tokio::time::Instant::now();
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..MAX_TRIES + 3 {
            let access = std::sync::Arc::clone(&access);
            tries.spawn(async move { access.login("donkey").await });
        }
        let came_of = tries.join_all().await;
        let count = |login| came_of.iter().filter(|came| **came == login).count();
        assert_eq!(
            (count(LoginOutcome::Wrong), count(LoginOutcome::Busy)),
            (MAX_TRIES, 3)
        );
        assert_eq!(
            begun.elapsed(),
            WRONG_TAKES * u32::try_from(MAX_TRIES).unwrap()
        );
    }
}
