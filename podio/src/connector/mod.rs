//! HTTP connections, with and without TLS: what the client and the sandbox's webhooks share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use podtap_connect::{Connector, Proxy};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How long an idle connection is kept. Shorter than servers keep theirs, so that few are found
/// closed when they are needed.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// Makes requests, each whole in memory.
pub type HttpClient = Client<HttpsConnector<Connector>, Full<Bytes>>;

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// What the operating system trusts.
    Platform,
    /// None: for plain connections, since it costs nothing to load.
    None,
}

/// What [`client`] makes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// The proxy on the way, where there is one.
    pub proxy: Option<Proxy>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Idle connections kept for each host; 0 makes a connection for every request.
    pub idle_connections: usize,
}

/// An HTTP client with these settings. It connects to nothing yet.
///
/// # Errors
/// When the operating system has no certificates to trust, and they are asked for.
pub fn client(settings: Settings) -> Result<HttpClient, rustls::Error> {
    let connector = Connector::new(settings.proxy, settings.connect_timeout);
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
        Trust::None => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn https_goes_through_the_proxy_with_its_password_and_a_refusal_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 1_024];
            let length = stream.read(&mut head).await.unwrap();
            let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(refusal).await.unwrap();
            String::from_utf8_lossy(&head[..length]).into_owned()
        };
        let client = client(Settings {
            trust: Trust::None,
            proxy: format!("http://ada:secret@{address}").parse().ok(),
            connect_timeout: Duration::from_secs(5),
            idle_connections: 0,
        })
        .unwrap();
        let request = Request::get("https://api.podio.com/oauth/scope");
        let request = request.body(Full::default()).unwrap();

        let (head, answer) = tokio::join!(proxy, client.request(request));

        assert!(
            head.starts_with("CONNECT api.podio.com:443 HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("Basic YWRhOnNlY3JldA=="), "{head}");
        let mut cause: &dyn std::error::Error = &answer.unwrap_err();
        while let Some(source) = cause.source() {
            cause = source;
        }
        let told = cause.to_string();
        assert!(
            told.contains("the proxy does not let this machine reach api.podio.com"),
            "{told}"
        );
    }
}
