//! TLS towards relays and local services: one provider, the system's own trust.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// TLS as it is used everywhere here; reads the system's certificates. Where there are none, as in
/// many a small container, that is an error only if TLS is `needed`.
pub fn client_config(needed: bool) -> Result<Arc<ClientConfig>, rustls::Error> {
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
    };
    let config = match builder()?.with_platform_verifier() {
        Ok(trusting) => trusting.with_no_client_auth(),
        Err(error) if needed => return Err(error),
        Err(_) => builder()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    };
    Ok(Arc::new(config))
}
