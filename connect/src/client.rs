//! Builds the HTTP client of every part that calls other servers: with or without TLS, with
//! or without a proxy. The caller decides what is trusted, how long connecting may take,
//! and which connections are kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use crate::connector::Connector;
use crate::proxy::Proxy;
use crate::tls::{self, TlsUnavailable, Trust};

/// Maximum time that an idle connection to a server on the internet is kept. It is shorter
/// than what servers use, so that few connections turn out to be closed when they are needed.
const IDLE_LIMIT: Duration = Duration::from_secs(20);

/// Client whose requests are in memory as a whole.
pub type HttpClient<C = HttpsConnector<Connector>> = Client<C, Full<Bytes>>;

/// Versions of HTTP that are offered over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// Only HTTP/1.1.
    Http1,
    /// HTTP/1.1 and HTTP/2.
    Http2,
}

/// Which connections are kept for later requests.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Maximum time without a request.
    pub idle_limit: Duration,
    /// Maximum number of idle connections per host. With 0, every request opens a connection.
    pub per_host: usize,
}

/// Returns a client that uses this connector. Header names are sent as `hyper` was told to
/// write them. It does not connect yet.
pub fn client<C>(connector: C, pool: PoolLimits) -> HttpClient<C>
where
    C: Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(pool.idle_limit)
        .pool_max_idle_per_host(pool.per_host)
        .http1_preserve_header_case(true)
        .build(connector)
}

/// Returns a connector for `http` and `https`: without TLS, or with this configuration.
pub fn https<R>(
    connector: Connector<R>,
    tls: ClientConfig,
    versions: Versions,
) -> HttpsConnector<Connector<R>> {
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1();
    match versions {
        Versions::Http1 => builder.wrap_connector(connector),
        Versions::Http2 => builder.enable_http2().wrap_connector(connector),
    }
}

/// Settings of a client that trusts the operating system's authorities.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Whether it connects with TLS. If not, no certificates are loaded.
    pub is_encrypted: bool,
    /// Proxy for all connections, if any.
    pub proxy: Option<Proxy>,
    /// Maximum time to connect.
    pub connect_timeout: Duration,
    /// Maximum number of idle connections per host. With 0, every request opens a connection.
    pub idle_connections: usize,
}

impl ClientSettings {
    /// Returns the client with these settings. It does not connect yet.
    ///
    /// # Errors
    /// If certificates are needed and the operating system has none.
    pub fn client(self) -> Result<HttpClient, TlsUnavailable> {
        let tls = if self.is_encrypted {
            Arc::unwrap_or_clone(tls::client_config(true, &Trust::default())?)
        } else {
            tls::trusting_none()?
        };
        let connector = Connector::new(self.proxy, self.connect_timeout);
        let pool = PoolLimits {
            idle_limit: IDLE_LIMIT,
            per_host: self.idle_connections,
        };
        Ok(client(https(connector, tls, Versions::Http2), pool))
    }
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
        let client = ClientSettings {
            is_encrypted: false,
            proxy: format!("http://ada:secret@{address}").parse().ok(),
            connect_timeout: Duration::from_secs(5),
            idle_connections: 0,
        }
        .client()
        .unwrap();
        let request = Request::get("https://api.podio.com/oauth/scope");
        let request = request.body(Full::default()).unwrap();

        let (head, answer) = tokio::join!(proxy, client.request(request));

        assert!(
            head.starts_with("CONNECT api.podio.com:443 HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("Basic YWRhOnNlY3JldA=="), "{head}");
        let told = crate::reason::words(&answer.unwrap_err());
        assert!(
            told.contains("the proxy does not allow connections to api.podio.com"),
            "{told}"
        );
    }
}
