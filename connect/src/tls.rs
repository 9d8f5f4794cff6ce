//! Configures TLS for clients: one provider, the system's authorities, and further
//! certificates that a person trusts.

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

/// What is trusted in addition to the system's authorities.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Certificates of authorities, or of a service itself.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Whether a local service on this machine or at a private address may have any certificate.
    /// The caller decides which addresses are local, and which one is the local service.
    pub insecure_local: bool,
}

/// TLS cannot be set up, because the system has no certificates or they cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS; are the system's certificates installed?")]
pub struct TlsUnavailable(#[from] Error);

/// Reason why a PEM file contains no usable certificates.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPem {
    /// The file contains no certificate.
    #[error("it holds no certificate")]
    Empty,
    /// The file has a syntax error.
    #[error("a certificate in it cannot be read: {0}")]
    Malformed(#[from] pem::Error),
}

/// Returns the certificates in a PEM file's content, at least one.
///
/// # Errors
/// If there is none, or one cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidPem> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err(InvalidPem::Empty);
    }
    Ok(all)
}

/// Returns the TLS configuration of all clients, with the system's certificates. If the
/// system has none, as in many small containers, that is an error only if TLS is `needed`
/// and nothing else is trusted.
///
/// # Errors
/// If nothing is trusted.
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

/// Returns when a certificate expires, in seconds since 1970. The verifier reports that time if
/// it is asked about a time at which no certificate is valid; the issuer does not matter then.
#[must_use]
pub fn not_after(certificate: &CertificateDer<'static>) -> Option<i64> {
    /// The year 10000, which X.509 cannot express.
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

/// Returns a configuration that trusts nothing. It is for connections without TLS and takes
/// no time to load.
pub(crate) fn trusting_none() -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    trusting(provider, RootCertStore::empty())
}

/// Returns a configuration that trusts only these authorities.
///
/// # Errors
/// If one of them cannot be used as an authority.
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

/// Returns a configuration that accepts any certificate.
///
/// # Errors
/// Never with the built-in provider.
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

/// Verifies certificates, and that the other side has their private key.
#[derive(Debug)]
struct CertificateJudge {
    provider: Arc<CryptoProvider>,
    takes: AcceptedCertificates,
}

/// Which certificates are accepted.
#[derive(Debug)]
enum AcceptedCertificates {
    /// Certificates that the system trusts, and a service's own certificate that is trusted
    /// directly. `openssl req -x509` creates an authority, and the system does not accept an
    /// authority as a service's certificate.
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
            // The verifier checks the validity times before it reports this error.
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
