//! Serves TLS: which certificate is offered, where it comes from, and when it expires.
//!
//! `pair` reads and checks a certificate with its key, `current` is the pair for new
//! connections, `files` reads it again from two files when they change, and `acme` orders
//! it. The server uses [`Tls`] only.

mod acme;
mod current;
mod error;
mod files;
mod pair;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use podtap_connect::tls::TlsUnavailable;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{RelayConfig, TlsMode};
use crate::metrics::Metrics;
use acme::{AcmeKeeper, Challenges};
pub(crate) use current::days_left;
pub use error::CertificateError;
use files::FileWatch;
use pair::CertificatePair;

/// HTTP/2 is for senders. Agents ask for HTTP/1.1, because they open a websocket.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Protocol that an authority asks for when it checks a challenge (RFC 8737, section 6.2).
const CHALLENGE: &[u8] = b"acme-tls/1";

/// TLS configuration of a listener.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    /// Configuration for an authority that checks a name of this relay.
    challenge: Option<Arc<ServerConfig>>,
}

/// How a handshake continues after the client's hello.
#[derive(Debug)]
pub(crate) struct Purpose {
    pub(crate) config: Arc<ServerConfig>,
    /// Whether the client only checks the certificate: no request follows.
    pub(crate) is_challenge: bool,
}

/// Keeps the certificate up to date while the relay runs.
#[derive(Debug)]
pub(crate) enum Keeper {
    Files(Box<FileWatch>),
    Acme(Box<AcmeKeeper>),
}

impl Keeper {
    /// Returns the signal that makes the certificate be read again. It has no effect on an
    /// ordered certificate.
    pub(crate) fn reload(&self) -> Arc<Notify> {
        match self {
            Self::Files(watch) => watch.reload(),
            Self::Acme(_) => Arc::default(),
        }
    }

    /// Runs until the token is cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        match self {
            Self::Files(watch) => watch.run(token).await,
            Self::Acme(keeper) => keeper.run(token).await,
        }
    }
}

/// Returns what a relay needs to serve TLS as configured, or nothing if it does not serve TLS.
pub(crate) fn open(
    config: &RelayConfig,
    metrics: &Arc<Metrics>,
) -> Result<Option<(Tls, Keeper)>, CertificateError> {
    match &config.tls {
        TlsMode::Off => Ok(None),
        TlsMode::Files { certificate, key } => {
            let (watch, pair) = FileWatch::open(certificate, key, Arc::clone(metrics))?;
            if let Some(host) = config.public_url.as_ref().and_then(Url::host_str) {
                warn_of_name(&pair, host);
            }
            let tls = Tls::new(watch.current(), None)?;
            Ok(Some((tls, Keeper::Files(Box::new(watch)))))
        }
        TlsMode::Acme(acme) => {
            let keeper = AcmeKeeper::open(acme, &config.data_dir, Arc::clone(metrics))?;
            let tls = Tls::new(keeper.current(), Some(keeper.challenges()))?;
            Ok(Some((tls, Keeper::Acme(Box::new(keeper)))))
        }
    }
}

fn warn_of_name(pair: &CertificatePair, host: &str) {
    if !pair.is_for(host) {
        tracing::warn!(
            host,
            "the certificate is not for the host of public-url: senders and agents will refuse it"
        );
    }
}

impl Tls {
    /// Creates a configuration that uses the certificate that `resolver` returns for each
    /// handshake.
    fn new(
        resolver: Arc<dyn ResolvesServerCert>,
        challenges: Option<Arc<Challenges>>,
    ) -> Result<Self, CertificateError> {
        let challenge = challenges.map(|challenges| config(challenges, &[CHALLENGE]));
        Ok(Self {
            config: config(resolver, &PROTOCOLS)?,
            challenge: challenge.transpose()?,
        })
    }

    /// Returns what a connection with this hello is for.
    pub(crate) fn purpose(&self, hello: &ClientHello<'_>) -> Purpose {
        let mut protocols = hello.alpn().into_iter().flatten();
        match &self.challenge {
            Some(challenge) if protocols.any(|protocol| protocol == CHALLENGE) => Purpose {
                config: Arc::clone(challenge),
                is_challenge: true,
            },
            _ => Purpose {
                config: Arc::clone(&self.config),
                is_challenge: false,
            },
        }
    }
}

fn config(
    resolver: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, CertificateError> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsUnavailable::from)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
