//! The certificate that new connections get. It is replaced while the relay runs; connections that
//! are open keep theirs.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pair::CertificatePair;
use crate::metrics::Metrics;

/// Holds the certificate, once there is one.
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

    /// Shows this one from now on.
    pub(super) fn replace(&self, pair: &CertificatePair) {
        let mut certified = self
            .certified
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *certified = Some(Arc::clone(&pair.certified));
        self.metrics.certificate_until(pair.not_after);
    }

    /// The certificate that it shows.
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

/// Days until a certificate ends; 0 once it has.
pub(crate) fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    (not_after.duration_since(now).as_hours() / 24).max(0)
}
