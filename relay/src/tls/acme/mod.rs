//! A certificate that the relay orders and renews by itself (ACME, RFC 8555). It proves by TLS-ALPN-01
//! (RFC 8737) that it has the names: on the port that serves webhooks, without another listener.
//!
//! `store` keeps the account and the certificate in the data folder, `order` asks for one, `client`
//! is the HTTP under it, `challenges` is what the authority looks at.

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

/// How long one order may take, the authority's looks at this relay included.
const ORDER_TIMEOUT: Duration = Duration::from_mins(5);

/// Pauses after an authority that could not be reached, doubled each time.
const UNREACHED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// The same after one that refused. Let's Encrypt allows five failed orders of a name an hour.
const REFUSED: (Duration, Duration) = (Duration::from_mins(2), Duration::from_hours(2));

/// How often it is looked whether the certificate is to be renewed: a machine may sleep.
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
    /// Opens the store and shows the certificate that is in it.
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

    /// Works until the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let keeping = async {
            let mut failures = 0;
            loop {
                let now = Timestamp::now();
                if let Some(pair) = self.pair.as_ref().filter(|pair| now < renewal(pair)) {
                    sleep(until(renewal(pair), now).min(LOOK_EVERY)).await;
                    continue;
                }
                match self.order().await {
                    Ok(()) => failures = 0,
                    Err(error) => {
                        let pause = pause(&error, failures);
                        failures += 1;
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
        // It is good for now, and a restart orders another one.
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
                "the certificate cannot be renewed; the old one stays"
            ),
        }
    }
}

/// Whether a certificate is for all of the names.
fn is_of(acme: &Acme, pair: &CertificatePair) -> bool {
    acme.domains.iter().all(|domain| pair.is_for(domain))
}

/// When a certificate is renewed: after two thirds of its time.
fn renewal(pair: &CertificatePair) -> Timestamp {
    let lifetime = pair.not_after.duration_since(pair.not_before);
    pair.not_after - lifetime / 3
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    at.duration_since(now)
        .max(SignedDuration::ZERO)
        .unsigned_abs()
}

/// The pause after a failure, when there were so many before it.
fn pause(error: &OrderError, failures: u32) -> Duration {
    let (first, longest) = match error {
        OrderError::Unreached(_) => UNREACHED,
        _ => REFUSED,
    };
    first
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_refuses_is_asked_less_often_than_one_that_is_away() {
        let away = OrderError::Unreached("connection refused".to_owned());
        let pauses = [0, 1, 2, 99].map(|failures| pause(&away, failures).as_secs());
        assert_eq!(pauses, [5, 10, 20, 300]);
        let refused = OrderError::Refused("rate limited".to_owned());
        let mut hour = Duration::ZERO;
        let orders = (0..).take_while(|failures| {
            hour += pause(&refused, *failures);
            hour < Duration::from_hours(1)
        });
        assert!(orders.count() < 5);
    }
}
