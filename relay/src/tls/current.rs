//! Holds the certificate for new connections. It may be replaced while the relay runs; open
//! connections keep theirs.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pair::CertificatePair;
use crate::metrics::Metrics;

/// The current certificate, once there is one.
#[derive(Debug)]
pub(crate) struct Current {
    certified: RwLock<Option<Arc<CertifiedKey>>>,
    metrics: Arc<Metrics>,
}

impl Current {
    pub(super) fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            certified: RwLock::default(),
            metrics,
        })
    }

    /// Sets the certificate for new connections.
    pub(super) fn replace(&self, pair: &CertificatePair) {
        let mut certified = self
            .certified
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *certified = Some(Arc::clone(&pair.certified));
        self.metrics.certificate_until(pair.not_after);
    }

    /// Returns the certificate that is offered.
    #[cfg(test)]
    pub(super) fn shown_certificate(&self) -> Option<Vec<u8>> {
        let certified = self.certified.read().unwrap();
        let certified = certified.as_ref()?;
        Some(certified.end_entity_cert().unwrap().to_vec())
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certified = self
            .certified
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        certified.clone()
    }
}

/// Returns the number of days until a certificate expires, or 0 if it has expired.
pub(crate) fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    (not_after.duration_since(now).as_hours() / 24).max(0)
}
