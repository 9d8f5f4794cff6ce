//! HTTP to the authority: bounded answers, and the roots that the operator names.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::time::timeout;

use crate::tls::error::CertificateError;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of the largest answer: a certificate chain has 10 KiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

type Http = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>;

/// Calls the authority.
#[derive(Debug, Clone)]
pub(super) struct Client(Http);

impl Client {
    /// One that trusts the authorities of the system, or those of a PEM file alone.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, CertificateError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?;
        let config = match authorities {
            None => builder.with_platform_verifier()?.with_no_client_auth(),
            Some(file) => builder
                .with_root_certificates(roots(file)?)
                .with_no_client_auth(),
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        Ok(Self(http.build(connector)))
    }
}

fn roots(file: &Path) -> Result<RootCertStore, CertificateError> {
    let malformed = |why: String| CertificateError::Malformed {
        file: file.to_owned(),
        why,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file);
    for certificate in certificates.map_err(|error| malformed(error.to_string()))? {
        let certificate = certificate.map_err(|error| malformed(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| malformed(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(malformed("it has no certificate in PEM format".to_owned()));
    }
    Ok(roots)
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answering = self.0.request(request);
        Box::pin(async move {
            let whole = async {
                let answer = answering
                    .await
                    .map_err(|error| Error::Other(error.into()))?;
                let (parts, body) = answer.into_parts();
                let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
                let body = body.map_err(Error::Other)?.to_bytes();
                Ok(BytesResponse::from(Response::from_parts(
                    parts,
                    Full::new(body),
                )))
            };
            timeout(REQUEST_TIMEOUT, whole)
                .await
                .unwrap_or_else(|late| Err(Error::Other(late.into())))
        })
    }
}
