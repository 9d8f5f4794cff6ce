//! HTTP connections, with and without TLS: what the client and the sandbox's webhooks share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How long an idle connection is kept. Shorter than servers keep theirs, so that few are found
/// closed when they are needed.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// What the operating system trusts.
    Platform,
    /// Nobody: for plain connections, since it costs nothing to load.
    Nobody,
}

/// What [`client`] makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) trust: Trust,
    pub(crate) connect_timeout: Duration,
    /// Idle connections kept for each host; 0 makes a connection for every request.
    pub(crate) idle_connections: usize,
}

pub(crate) fn client(settings: Settings) -> Result<HttpClient, rustls::Error> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(settings.connect_timeout));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls_config(settings.trust)?)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(connector);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(settings.idle_connections)
        .build(connector))
}

fn tls_config(trust: Trust) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match trust {
        Trust::Platform => builder.with_platform_verifier()?,
        Trust::Nobody => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}
