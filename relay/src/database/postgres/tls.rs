//! Sets up TLS to the database as `sslmode` demands.

use std::sync::Arc;

use podtap_connect::reason::chain;
use podtap_connect::tls::config_without_verification;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::PostgresError;
use super::url::{CertificateCheck, DatabaseUrl};
use crate::pem_file;

/// Returns the TLS configuration for the connections of this URL.
pub(super) fn connector(url: &DatabaseUrl) -> Result<MakeRustlsConnect, PostgresError> {
    let failed = |why: String| PostgresError::Tls {
        url: url.to_string(),
        why,
        cure: "check sslmode and sslrootcert in its URL",
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    let config = match (url.tls.check, &url.tls.root_cert) {
        // Encrypts without checking the certificate, as libpq does for `sslmode=prefer` and
        // `require`.
        (CertificateCheck::Nothing, _) => {
            config_without_verification().map_err(|error| failed(error.to_string()))?
        }
        (CertificateCheck::Host, None) => builder
            .with_platform_verifier()
            .map_err(|error| failed(error.to_string()))?
            .with_no_client_auth(),
        (CertificateCheck::Authority, None) => {
            return Err(failed(
                "sslmode=verify-ca needs the authority of the server, sslrootcert=FILE".to_owned(),
            ));
        }
        (check, Some(file)) => {
            let unreadable =
                |why: String| failed(format!("{} cannot be used: {why}", file.display()));
            let mut roots = RootCertStore::empty();
            let pem = pem_file::read(file).map_err(|error| failed(chain(&error)))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                let added = roots.add(certificate);
                added.map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
            if check == CertificateCheck::Host {
                builder.with_root_certificates(roots).with_no_client_auth()
            } else {
                let inner =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
                let inner = inner.map_err(|error| unreadable(error.to_string()))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(AnyHost(inner)))
                    .with_no_client_auth()
            }
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Accepts a certificate of a trusted authority for any host name, for `sslmode=verify-ca`.
#[derive(Debug)]
struct AnyHost(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .0
            .verify_server_cert(cert, intermediates, name, ocsp, now);
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
