//! Keeps the certificates with which an authority checks that a name belongs to this relay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Challenge certificates, by the name to be proven.
#[derive(Debug, Default)]
pub(crate) struct Challenges(Mutex<HashMap<String, Arc<CertifiedKey>>>);

impl Challenges {
    /// Offers a certificate that proves the name from now on. It contains the digest (RFC 8737,
    /// section 3).
    pub(super) fn show(&self, name: &str, digest: &[u8; 32]) -> Result<(), String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let params = CertificateParams::new(vec![name.to_owned()]);
        let mut params = params.map_err(|error| error.to_string())?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params
            .self_signed(&key)
            .map_err(|error| error.to_string())?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = ring::default_provider().key_provider.load_private_key(der);
        let key = key.map_err(|error| error.to_string())?;
        // The certificate is not checked against the key, because rustls does not know its
        // critical extension.
        let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
        self.lock().insert(name.to_owned(), Arc::new(certified));
        Ok(())
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.lock().get(hello.server_name()?).cloned()
    }
}
