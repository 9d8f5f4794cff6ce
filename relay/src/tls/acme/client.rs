//! Calls the authority over HTTP, with limited answers and the trusted authorities that the
//! operator names.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use instant_acme::{BodyWrapper, BytesResponse, Error};
use podtap_connect::client::{self, PoolLimits, Versions};
use podtap_connect::reason::chain;
use podtap_connect::tls::{self, Trust};
use podtap_connect::{Connector, HttpClient};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::time::timeout;

use crate::pem_file;
use crate::tls::error::CertificateError;

/// Maximum time of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum size of an answer in bytes. A certificate chain has about 10 KiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// An order needs some requests within a minute, and the next order is weeks later.
const POOL: PoolLimits = PoolLimits {
    idle_limit: Duration::from_secs(20),
    per_host: 1,
};

/// HTTP client for the authority.
#[derive(Debug, Clone)]
pub(super) struct AcmeClient(HttpClient);

impl AcmeClient {
    /// Creates a client that trusts the system's authorities, or only those of a PEM file.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, CertificateError> {
        let tls = match authorities {
            None => Arc::unwrap_or_clone(tls::client_config(true, &Trust::default())?),
            Some(file) => tls::trusting_only(certificates(file)?)
                .map_err(|error| unusable(file, error.to_string()))?,
        };
        let connector = Connector::new(None, REQUEST_TIMEOUT);
        let connector = client::https(connector, tls, Versions::Http1);
        Ok(Self(client::client(connector, POOL)))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let pem = pem_file::read(file).map_err(|error| unusable(file, chain(&error)))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = read.map_err(|error| unusable(file, error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(
            file,
            "it has no certificate in PEM format".to_owned(),
        ));
    }
    Ok(certificates)
}

fn unusable(file: &Path, why: String) -> CertificateError {
    CertificateError::Authorities {
        file: file.to_owned(),
        why,
    }
}

impl instant_acme::HttpClient for AcmeClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let whole = async {
                let (head, body) = request.into_parts();
                let body = body
                    .collect()
                    .await
                    .map_err(|error| Error::Other(error.into()))?;
                let body = body.to_bytes();
                let request = Request::from_parts(head, Full::new(body));
                let answer = client
                    .request(request)
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
