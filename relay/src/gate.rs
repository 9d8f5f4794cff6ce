//! Decides who may connect with a token.
//!
//! Refused tokens are limited before the storage is asked again, both per token and per
//! address, so that guessing does not slow down other agents.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::config::Rate;
use crate::metrics::Metrics;
use crate::peer::PeerGroup;
use crate::rate::KeyedRates;
use crate::tunnel::directory::{Directory, Owner};

/// Rate at which the storage is asked about one refused token. A refused agent gives up;
/// one that a supervisor restarts asks again every few seconds.
const PER_TOKEN: Rate = Rate {
    per_second: 0.1,
    burst: 5.0,
};

/// Rate at which tokens from one address may be refused before the address has to wait.
const PER_PEER: Rate = Rate {
    per_second: 1.0,
    burst: 60.0,
};

/// Maximum number of valid tokens to remember, in each of two generations. They are
/// accepted even if other tokens from their address were refused.
const MAX_GOOD: usize = 16 * 1024;

/// Form in which a token is remembered.
type Fingerprint = [u8; 32];

/// Checks tokens.
#[derive(Debug)]
pub(crate) struct TokenGate {
    directory: Arc<Directory>,
    metrics: Arc<Metrics>,
    by_token: KeyedRates<Fingerprint>,
    by_peer: KeyedRates<PeerGroup>,
    good: Mutex<Good>,
}

#[derive(Debug, Default)]
struct Good {
    young: HashSet<Fingerprint>,
    old: HashSet<Fingerprint>,
}

/// Reason why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenDenial {
    /// The token is malformed, unknown or revoked.
    Refused,
    /// Too many tokens from this address were refused.
    TooMany { retry_after: Duration },
    /// The token cannot be looked up now.
    Unavailable,
}

impl TokenGate {
    pub(crate) fn new(directory: &Arc<Directory>, metrics: &Arc<Metrics>) -> Self {
        Self {
            directory: Arc::clone(directory),
            metrics: Arc::clone(metrics),
            by_token: KeyedRates::new(PER_TOKEN),
            by_peer: KeyedRates::new(PER_PEER),
            good: Mutex::default(),
        }
    }

    /// Returns the owner of the token.
    pub(crate) async fn admit(&self, token: &str, peer: IpAddr) -> Result<Owner, TokenDenial> {
        let fingerprint: Fingerprint = Sha256::digest(token.as_bytes()).into();
        let (group, now) = (PeerGroup::from(peer), Instant::now());
        let is_good = self.is_good(&fingerprint);
        if !is_good && let Err(retry_after) = self.by_peer.check(group, now) {
            self.metrics.connection_refused("refused-tokens");
            return Err(TokenDenial::TooMany { retry_after });
        }
        // The token was refused a moment ago, and a token that does not exist is never created
        // later.
        let is_known_bad = self.by_token.check(fingerprint, now).is_err();
        let found = if is_known_bad {
            Ok(None)
        } else {
            self.directory.authenticate(token).await
        };
        match found {
            Ok(Some(owner)) => {
                self.remember(fingerprint);
                Ok(owner)
            }
            Ok(None) => {
                self.metrics.connection_refused("token");
                self.forget(&fingerprint);
                // Either limit may already be used up.
                let _ = self.by_token.take(fingerprint, now);
                let _ = self.by_peer.take(group, now);
                Err(TokenDenial::Refused)
            }
            Err(_) => Err(TokenDenial::Unavailable),
        }
    }

    fn is_good(&self, fingerprint: &Fingerprint) -> bool {
        self.good().contains(fingerprint)
    }

    fn remember(&self, fingerprint: Fingerprint) {
        self.good().insert(fingerprint);
    }

    fn forget(&self, fingerprint: &Fingerprint) {
        self.good().remove(fingerprint);
    }

    fn good(&self) -> MutexGuard<'_, Good> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Good {
    fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.young.contains(fingerprint) || self.old.contains(fingerprint)
    }

    /// Adds a token. Tokens that were not seen for a whole generation are forgotten.
    fn insert(&mut self, fingerprint: Fingerprint) {
        if self.young.len() >= MAX_GOOD {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(fingerprint);
    }

    fn remove(&mut self, fingerprint: &Fingerprint) {
        self.young.remove(fingerprint);
        self.old.remove(fingerprint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(number: usize) -> Fingerprint {
        Sha256::digest(number.to_le_bytes()).into()
    }

    #[test]
    fn good_tokens_are_remembered_within_a_bound_and_those_in_use_for_longest() {
        let mut good = Good::default();
        for number in 1..10 * MAX_GOOD {
            good.insert(fingerprint(number));
            if number % 1000 == 0 {
                good.insert(fingerprint(0));
            }
            assert!(good.young.len() <= MAX_GOOD && good.old.len() <= MAX_GOOD);
        }
        assert!(good.contains(&fingerprint(0)), "in use all the time");
        assert!(good.contains(&fingerprint(9 * MAX_GOOD)), "just seen");
        assert!(!good.contains(&fingerprint(1)), "not seen for long");
        good.remove(&fingerprint(0));
        assert!(!good.contains(&fingerprint(0)));
    }
}
