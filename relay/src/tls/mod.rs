//! TLS of the relay's own: which certificate it shows, where that comes from, and when it ends.
//!
//! `pair` reads a certificate with its key and says what is wrong with them, `current` is the pair
//! that new connections get, `files` reads it from two files again when they change, `acme` orders
//! it. The server knows of [`Tls`] alone.

mod acme;
mod current;
mod error;
mod files;
mod pair;
#[cfg(test)]
mod tests;

use std::sync::Arc;

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

/// HTTP/2 for senders; agents ask for HTTP/1.1, in which a websocket is opened.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What an authority asks for that looks at a challenge (RFC 8737, section 6.2).
const CHALLENGE: &[u8] = b"acme-tls/1";

/// How connections of a listener are secured.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    /// For an authority that looks whether this relay has a name.
    challenge: Option<Arc<ServerConfig>>,
}

/// How the handshake that begins with a hello goes on.
#[derive(Debug)]
pub(crate) struct Purpose {
    pub(crate) config: Arc<ServerConfig>,
    /// Whether it is only looked at: no request follows.
    pub(crate) is_challenge: bool,
}

/// What keeps the certificate good while the relay runs.
#[derive(Debug)]
pub(crate) enum Keeper {
    Files(Box<FileWatch>),
    Acme(Box<AcmeKeeper>),
}

impl Keeper {
    /// Rung to have the certificate read again, where it is read.
    pub(crate) fn reload(&self) -> Arc<Notify> {
        match self {
            Self::Files(watch) => watch.reload(),
            Self::Acme(_) => Arc::default(),
        }
    }

    /// Works until the token is cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        match self {
            Self::Files(watch) => watch.run(token).await,
            Self::Acme(keeper) => keeper.run(token).await,
        }
    }
}

/// What a relay needs to serve TLS as configured; nothing where it serves none.
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
    /// With the certificate that `resolver` has at the moment of each handshake.
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

    /// What a connection that begins so is for.
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
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
