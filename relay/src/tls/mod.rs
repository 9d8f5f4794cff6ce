//! TLS of the relay's own: which certificate it shows, where that comes from, and when it ends.
//!
//! `pair` reads a certificate with its key and says what is wrong with them, `current` is the pair
//! that new connections get, `files` reads it from two files again when they change. The server
//! knows of [`Tls`] alone.

mod current;
mod error;
mod files;
mod pair;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{Config, TlsMode};
use crate::metrics::Metrics;
pub use error::CertificateError;
use files::FileWatch;
use pair::Pair;

/// HTTP/2 for senders; agents ask for HTTP/1.1, in which a websocket is opened.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How connections of a listener are secured.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
}

/// What keeps the certificate good while the relay runs.
#[derive(Debug)]
pub(crate) enum Keeper {
    Files(Box<FileWatch>),
}

impl Keeper {
    /// Rung to have the certificate read again.
    pub(crate) fn reload(&self) -> Arc<Notify> {
        match self {
            Self::Files(watch) => watch.reload(),
        }
    }

    /// Works until the token is cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        match self {
            Self::Files(watch) => watch.run(token).await,
        }
    }
}

/// What a relay needs to serve TLS as configured; nothing where it serves none.
pub(crate) fn open(
    config: &Config,
    metrics: &Arc<Metrics>,
) -> Result<Option<(Tls, Keeper)>, CertificateError> {
    match &config.tls {
        TlsMode::Off => Ok(None),
        TlsMode::Files { certificate, key } => {
            let (watch, pair) = FileWatch::open(certificate, key, Arc::clone(metrics))?;
            if let Some(host) = config.public_url.as_ref().and_then(Url::host_str) {
                warn_of_name(&pair, host);
            }
            let tls = Tls::new(watch.current())?;
            Ok(Some((tls, Keeper::Files(Box::new(watch)))))
        }
    }
}

fn warn_of_name(pair: &Pair, host: &str) {
    if !pair.is_for(host) {
        tracing::warn!(
            host,
            "the certificate is not for the host of public-url: senders and agents will refuse it"
        );
    }
}

impl Tls {
    /// With the certificate that `resolver` has at the moment of each handshake.
    pub(crate) fn new(resolver: Arc<dyn ResolvesServerCert>) -> Result<Self, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self {
            config: Arc::new(config),
        })
    }
}
