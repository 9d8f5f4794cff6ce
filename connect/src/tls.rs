//! TLS towards others: one provider, the system's own trust, and what a person adds to it.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;

/// What is trusted besides the system's certificates.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Authorities, or a service's own certificate.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Whether a local service on this machine or at a private address may have any certificate. What
    /// is local, and what is the local service, its callers know.
    pub insecure_local: bool,
}

/// TLS cannot be set up: the system has no certificates, or they cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS; are the system's certificates installed?")]
pub struct TlsUnavailable(#[from] Error);

/// Why a PEM file gives no certificates.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPem {
    /// It holds none.
    #[error("it holds no certificate")]
    Empty,
    /// It is not written as one should be.
    #[error("a certificate in it cannot be read: {0}")]
    Malformed(#[from] pem::Error),
}

/// The certificates in a PEM file's content, of which there is one at least.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidPem> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err(InvalidPem::Empty);
    }
    Ok(all)
}

/// TLS as it is used everywhere here; reads the system's certificates. Where there are none, as in
/// many a small container, that is an error only if TLS is `needed` and nothing else is trusted.
///
/// # Errors
/// When there is nothing to trust.
pub fn client_config(needed: bool, trust: &Trust) -> Result<Arc<ClientConfig>, TlsUnavailable> {
    let provider = Arc::new(ring::default_provider());
    let own = trust.certificates.clone();
    let config = match Verifier::new_with_extra_roots(own.clone(), Arc::clone(&provider)) {
        Ok(system) => {
            let system = Box::new(system);
            verified_by(provider, AcceptedCertificates::Trusted { system, own })
        }
        Err(error) if needed && own.is_empty() => Err(error),
        Err(_) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(own);
            trusting(provider, roots)
        }
    };
    Ok(Arc::new(config?))
}

/// When a certificate ends, in seconds since 1970. The library that judges certificates tells it, when
/// it is asked about a time at which none is valid; the issuer does not matter then.
#[must_use]
pub fn not_after(certificate: &CertificateDer<'static>) -> Option<i64> {
    /// Till the year 10000, which X.509 cannot write.
    const NEVER: Duration = Duration::from_hours(70_389_528);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).ok()?;
    let provider = Arc::new(ring::default_provider());
    let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let judge = judge.build().ok()?;
    let any = ServerName::try_from("podtap.invalid").ok()?;
    let then = UnixTime::since_unix_epoch(NEVER);
    match judge.verify_server_cert(certificate, &[], &any, &[], then) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            i64::try_from(not_after.as_secs()).ok()
        }
        _ => None,
    }
}

/// TLS that trusts nothing: for plain connections, since it costs nothing to load.
pub(crate) fn trusting_none() -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    trusting(provider, RootCertStore::empty())
}

/// TLS that trusts these authorities alone.
///
/// # Errors
/// When one of them cannot be one.
pub fn trusting_only(
    authorities: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority)?;
    }
    trusting(Arc::new(ring::default_provider()), roots)
}

fn trusting(provider: Arc<CryptoProvider>, roots: RootCertStore) -> Result<ClientConfig, Error> {
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// TLS that takes any certificate.
///
/// # Errors
/// Never with the provider that is built in.
pub fn config_without_verification() -> Result<ClientConfig, TlsUnavailable> {
    let provider = Arc::new(ring::default_provider());
    Ok(verified_by(provider, AcceptedCertificates::Any)?)
}

fn verified_by(
    provider: Arc<CryptoProvider>,
    takes: AcceptedCertificates,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(CertificateJudge { provider, takes }))
        .with_no_client_auth())
}

/// Judges certificates, and has the other side prove that it has their key.
#[derive(Debug)]
struct CertificateJudge {
    provider: Arc<CryptoProvider>,
    takes: AcceptedCertificates,
}

/// Which certificates are taken.
#[derive(Debug)]
enum AcceptedCertificates {
    /// What the system trusts, and a service's own certificate that is trusted by itself. What
    /// `openssl req -x509` makes is an authority, and no authority is a service's to the system.
    Trusted {
        system: Box<Verifier>,
        own: Vec<CertificateDer<'static>>,
    },
    Any,
}

impl ServerCertVerifier for CertificateJudge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let AcceptedCertificates::Trusted { system, own } = &self.takes else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Its times were looked at before this was found.
            Err(Error::InvalidCertificate(
                CertificateError::Other(_) | CertificateError::UnknownIssuer,
            )) if own.iter().any(|own| own == end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
