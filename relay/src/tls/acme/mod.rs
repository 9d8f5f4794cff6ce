//! Orders and renews the relay's certificate by itself (ACME, RFC 8555).
//!
//! The relay proves by TLS-ALPN-01 (RFC 8737) that the names belong to it, on the port that
//! serves webhooks, without another listener. `store` keeps the account and the certificate
//! in the data folder, `order` runs one order, `client` is its HTTP client, and
//! `challenges` contains the certificates that the authority checks.

mod challenges;
mod client;
mod order;
mod store;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::current::Current;
use super::error::CertificateError;
use super::pair::CertificatePair;
use crate::config::Acme;
use crate::metrics::Metrics;
pub(super) use challenges::Challenges;
use client::AcmeClient;
use order::OrderError;
use store::AcmeStore;

/// Maximum time of one order, including the authority's checks of this relay.
const ORDER_TIMEOUT: Duration = Duration::from_mins(5);

/// First and longest pause after an authority could not be reached. The pause doubles each time.
const UNREACHED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// First and longest pause after the authority refused. Let's Encrypt allows five failed
/// orders of a name per hour.
const REFUSED: (Duration, Duration) = (Duration::from_mins(2), Duration::from_hours(2));

/// Maximum time between two checks whether the certificate must be renewed; a timer alone
/// would be late on a machine that slept.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Orders certificates while the relay runs.
#[derive(Debug)]
pub(crate) struct AcmeKeeper {
    acme: Acme,
    client: AcmeClient,
    store: AcmeStore,
    challenges: Arc<Challenges>,
    current: Arc<Current>,
    pair: Option<CertificatePair>,
}

impl AcmeKeeper {
    /// Opens the store and offers the stored certificate.
    pub(super) fn open(
        acme: &Acme,
        data_dir: &std::path::Path,
        metrics: Arc<Metrics>,
    ) -> Result<Self, CertificateError> {
        let store = AcmeStore::open(data_dir)?;
        let current = Current::new(metrics);
        let pair = store.pair().filter(|pair| is_of(acme, pair));
        if let Some(pair) = &pair {
            current.replace(pair);
        }
        Ok(Self {
            client: AcmeClient::new(acme.authorities.as_deref())?,
            acme: acme.clone(),
            store,
            challenges: Arc::default(),
            current,
            pair,
        })
    }

    pub(super) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    pub(super) fn challenges(&self) -> Arc<Challenges> {
        Arc::clone(&self.challenges)
    }

    /// Runs until the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let keeping = async {
            let mut failures = OrderFailures::default();
            loop {
                let now = Timestamp::now();
                if let Some(pair) = self.pair.as_ref().filter(|pair| now < renewal(pair)) {
                    sleep(until(renewal(pair), now).min(LOOK_EVERY)).await;
                    continue;
                }
                match self.order().await {
                    Ok(()) => failures = OrderFailures::default(),
                    Err(error) => {
                        let pause = failures.pause(&error);
                        self.tell(&error, pause);
                        sleep(pause).await;
                    }
                }
            }
        };
        tokio::select! {
            () = keeping => {}
            () = token.cancelled() => {}
        }
    }

    async fn order(&mut self) -> Result<(), OrderError> {
        let ordering = order::order(&self.acme, &self.client, &self.store, &self.challenges);
        let ordered = timeout(ORDER_TIMEOUT, Box::pin(ordering)).await;
        self.challenges.clear();
        let pem = ordered.map_err(|_| OrderError::Late)??;
        let pair = self.store.parse(&pem).map_err(OrderError::Unusable)?;
        self.current.replace(&pair);
        tracing::info!(
            domains = self.acme.domains.join(","),
            valid_until = %pair.not_after,
            "the relay has a new certificate"
        );
        self.pair = Some(pair);
        // The certificate can be used now. After a restart, another one is ordered.
        if let Err(error) = self.store.keep(&pem) {
            tracing::error!(%error, "the new certificate cannot be written to the data folder");
        }
        Ok(())
    }

    fn tell(&self, error: &OrderError, pause: Duration) {
        let domains = self.acme.domains.join(",");
        let directory = self.acme.directory.as_str();
        let (error, hint) = (error.to_string(), error.hint());
        let again_in = format!("{} s", pause.as_secs());
        match &self.pair {
            None => tracing::error!(
                domains,
                directory,
                error,
                hint,
                again_in,
                "there is no certificate yet"
            ),
            Some(pair) => tracing::error!(
                domains, directory, error, hint, again_in,
                valid_until = %pair.not_after,
                "the certificate cannot be renewed; the relay keeps the old one"
            ),
        }
    }
}

/// Returns whether a certificate is valid for all of the names.
fn is_of(acme: &Acme, pair: &CertificatePair) -> bool {
    acme.domains.iter().all(|domain| pair.is_for(domain))
}

/// Returns when a certificate must be renewed: after two thirds of its lifetime.
fn renewal(pair: &CertificatePair) -> Timestamp {
    let lifetime = pair.not_after.duration_since(pair.not_before);
    pair.not_after - lifetime / 3
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    at.duration_since(now)
        .max(SignedDuration::ZERO)
        .unsigned_abs()
}

/// Number of orders that failed since the last success, for each kind of failure. Orders that
/// the authority was not reached for do not reset the count of refusals, because the authority
/// counts those too. A refusal resets the other count, because the authority was reached.
#[derive(Debug, Default)]
struct OrderFailures {
    /// Consecutive failures to reach the authority.
    unreached: u32,
    refused: u32,
}

impl OrderFailures {
    /// Counts a failure and returns the pause after it.
    fn pause(&mut self, error: &OrderError) -> Duration {
        let ((first, longest), before) = if error.is_unreached() {
            (UNREACHED, &mut self.unreached)
        } else {
            self.unreached = 0;
            (REFUSED, &mut self.refused)
        };
        let pause = first.saturating_mul(2_u32.saturating_pow(*before));
        *before = before.saturating_add(1);
        pause.min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the pauses after these failures, in seconds.
    fn pauses(errors: &[OrderError]) -> Vec<u64> {
        let mut failures = OrderFailures::default();
        let pauses = errors.iter().map(|error| failures.pause(error).as_secs());
        pauses.collect()
    }

    fn away() -> OrderError {
        OrderError::Unreached("connection refused".to_owned())
    }

    fn refused_order() -> OrderError {
        OrderError::Refused("rate limited".to_owned())
    }

    #[test]
    fn an_authority_that_refuses_is_asked_less_often_than_one_that_is_away() {
        let aways: Vec<_> = (0..99).map(|_| away()).collect();
        let away_for_long = pauses(&aways);
        assert_eq!(away_for_long[..3], [5, 10, 20]);
        assert_eq!(away_for_long[98], 300);
        let refusals: Vec<_> = (0..99).map(|_| refused_order()).collect();
        let refused_for_long = pauses(&refusals);
        let mut waited = 0;
        let within_an_hour = refused_for_long.iter().take_while(|pause| {
            waited += **pause;
            waited < 3600
        });
        assert!(within_an_hour.count() < 5);
        assert_eq!(refused_for_long[98], 7200);
    }

    #[test]
    fn each_kind_of_failure_has_a_pause_of_its_own() {
        // An authority that is away does not count as a refusal, so the pause after the first
        // refusal is short.
        let errors = [away(), OrderError::Silent, away(), refused_order(), away()];
        assert_eq!(pauses(&errors), [5, 10, 20, 120, 5]);
        // Refusals continue to count, even if the authority could not be reached in between.
        let errors = [
            refused_order(),
            away(),
            refused_order(),
            OrderError::Late,
            away(),
        ];
        assert_eq!(pauses(&errors), [120, 5, 240, 480, 5]);
    }
}
