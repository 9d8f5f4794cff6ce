//! The way to the relay: TCP, through a proxy where one is set, TLS, and the websocket upgrade.
//! A refusal comes back as what it means for dialling again.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use podtap_wire::{ConnectRefusal, RefusalKind, version};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::Role;
use tower_service::Service;
use url::Url;

use super::ask;
use super::disconnect::Disconnect;
use super::socket;
use crate::config::{LinkConfig, without_user_info};
use crate::reason;

/// Time for the whole way: name, TCP, proxy, TLS, upgrade.
const DIAL_TIMEOUT: Duration = Duration::from_secs(15);

/// Where a relay takes agents.
const CONNECT_PATH: &str = "/-/connect";

/// The most of a refusal's body that is read.
const MAX_REFUSAL_BYTES: usize = 16 * 1024;

/// A connection to the relay.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A relay's address that cannot be dialled, or no TLS to dial it with.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Not a URL of a relay.
    #[error(
        "{} is not a relay's URL: it begins with https:// or http://, names a host, and holds no user",
        without_user_info(url.as_str())
    )]
    Relay {
        /// The URL.
        url: Url,
    },
    /// Not a URL of a proxy.
    #[error("the proxy's URL begins with http:// and names a host")]
    Proxy,
    /// The token holds characters that a header cannot.
    #[error("this token cannot be right: it holds characters that no token has")]
    Token,
}

/// Dials one relay, again and again.
pub(super) struct Dialer {
    /// The endpoint for agents, its port spelt out.
    endpoint: Uri,
    host: HeaderValue,
    authorization: HeaderValue,
    connector: HttpConnector,
    proxy: Option<Tunnel<HttpConnector>>,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    pub(super) fn new(
        link: &LinkConfig,
        tls: Arc<rustls::ClientConfig>,
    ) -> Result<Self, DialError> {
        let no_relay = || DialError::Relay {
            url: link.relay.clone(),
        };
        let endpoint = endpoint(&link.relay).ok_or_else(no_relay)?;
        let host = HeaderValue::try_from(link.relay.authority()).map_err(|_| no_relay())?;
        let bearer = format!("Bearer {}", link.token.expose_secret());
        let mut authorization = HeaderValue::try_from(bearer).map_err(|_| DialError::Token)?;
        authorization.set_sensitive(true);
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        let proxy = match &link.proxy {
            Some(proxy) => Some(tunnel(proxy, connector.clone()).ok_or(DialError::Proxy)?),
            None => None,
        };
        let tls = (link.relay.scheme() == "https").then(|| TlsConnector::from(tls));
        Ok(Self {
            endpoint,
            host,
            authorization,
            connector,
            proxy,
            tls,
        })
    }

    /// Dials once.
    pub(super) async fn dial(&self) -> Result<Socket, Disconnect> {
        tokio::time::timeout(DIAL_TIMEOUT, self.connect())
            .await
            .unwrap_or_else(|_| Err(Disconnect::retry("the relay did not answer in time")))
    }

    async fn connect(&self) -> Result<Socket, Disconnect> {
        let stream = self.stream().await?;
        let Some(tls) = &self.tls else {
            return self.upgrade(stream).await;
        };
        let stream = self.secured(tls, stream).await?;
        self.upgrade(stream).await
    }

    async fn secured(
        &self,
        tls: &TlsConnector,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Disconnect> {
        let host = self.endpoint.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| Disconnect::retry("the relay's name is no name for a certificate"))?;
        tls.connect(name, stream).await.map_err(|e| failed(&e))
    }

    /// Asks one thing over plain HTTP.
    pub(super) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Disconnect> {
        let stream = self.stream().await?;
        match &self.tls {
            Some(tls) => ask::exchange(self.secured(tls, stream).await?, request).await,
            None => ask::exchange(stream, request).await,
        }
    }

    /// A path of the relay, which may be below one of a proxy's.
    pub(super) fn path(&self, path: &str) -> String {
        let below = self.endpoint.path().trim_end_matches(CONNECT_PATH);
        format!("{below}{path}")
    }

    /// What every request to the relay begins with.
    pub(super) fn head(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.host.clone())
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(
                header::USER_AGENT,
                concat!("podtap/", env!("CARGO_PKG_VERSION")),
            )
    }

    async fn stream(&self) -> Result<TcpStream, Disconnect> {
        let endpoint = self.endpoint.clone();
        let stream = match self.proxy.clone() {
            Some(mut proxy) => proxy
                .call(endpoint)
                .await
                .map_err(|e| Disconnect::retry(format!("proxy: {}", reason::words(&e)))),
            None => self
                .connector
                .clone()
                .call(endpoint)
                .await
                .map_err(|e| failed(&e)),
        };
        stream.map(TokioIo::into_inner)
    }

    /// The websocket upgrade. Done with hyper rather than tungstenite, which hands over no more of
    /// a refusal's body than came with its head.
    async fn upgrade<S>(&self, stream: S) -> Result<Socket, Disconnect>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| failed(&e))?;
        let key = generate_key();
        let request = self.request(&key).map_err(|e| failed(&e))?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|e| failed(&e))?;
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Err(refusal(response).await);
            }
            let accept = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
            if accept.is_none_or(|accept| *accept != derive_accept_key(key.as_bytes())) {
                return Err(Disconnect::retry("what answers there is no relay"));
            }
            hyper::upgrade::on(response).await.map_err(|e| failed(&e))
        };
        let mut exchange = std::pin::pin!(exchange);
        let upgraded = tokio::select! {
            upgraded = &mut exchange => upgraded?,
            // It ends with the upgrade, and then the exchange has what it needs.
            ended = connection.with_upgrades() => {
                ended.map_err(|e| failed(&e))?;
                exchange.await?
            }
        };
        let (stream, config) = (TokioIo::new(upgraded), socket::config());
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
    }

    fn request(&self, key: &str) -> Result<Request<Empty<Bytes>>, http::Error> {
        self.head(Method::GET, self.endpoint.path())
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, key)
            .header(
                header::SEC_WEBSOCKET_PROTOCOL,
                version::SUPPORTED.join(", "),
            )
            .body(Empty::new())
    }
}

/// The relay's endpoint for agents. The port is spelt out: a proxy is told it.
fn endpoint(relay: &Url) -> Option<Uri> {
    let has_user = !relay.username().is_empty() || relay.password().is_some();
    if !matches!(relay.scheme(), "http" | "https") || has_user {
        return None;
    }
    let (host, port) = (relay.host_str()?, relay.port_or_known_default()?);
    let path = format!("{}{CONNECT_PATH}", relay.path().trim_end_matches('/'));
    Uri::builder()
        .scheme(relay.scheme())
        .authority(format!("{host}:{port}"))
        .path_and_query(path)
        .build()
        .ok()
}

fn tunnel(proxy: &Url, connector: HttpConnector) -> Option<Tunnel<HttpConnector>> {
    if proxy.scheme() != "http" {
        return None;
    }
    let authority = format!("{}:{}", proxy.host_str()?, proxy.port_or_known_default()?);
    let uri = Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query("/")
        .build()
        .ok()?;
    let tunnel = Tunnel::new(uri, connector);
    if proxy.username().is_empty() {
        return Some(tunnel);
    }
    let user = percent_decoded(proxy.username());
    let password = percent_decoded(proxy.password().unwrap_or_default());
    let credentials = STANDARD.encode([&user[..], b":", &password[..]].concat());
    let basic = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    Some(tunnel.with_auth(basic))
}

/// A URL's user and password as they were meant.
fn percent_decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// What a refused upgrade means.
async fn refusal(response: Response<Incoming>) -> Disconnect {
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_REFUSAL_BYTES)
        .collect()
        .await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    if let Ok(refusal) = serde_json::from_slice::<ConnectRefusal>(&body) {
        return refusal.into();
    }
    // Not from a relay's own hand: a proxy before it, or no relay at all.
    match status {
        StatusCode::UNAUTHORIZED => {
            let message = "the relay refused this token".to_owned();
            ConnectRefusal {
                kind: RefusalKind::Token,
                message,
            }
            .into()
        }
        _ => Disconnect::retry(format!(
            "the address answered {status}, which no relay does: is it the relay's URL?"
        )),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Disconnect {
    Disconnect::retry(reason::of_relay(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_lies_below_the_relays_url_with_its_port_spelt_out() {
        for (relay, expected) in [
            (
                "https://hooks.test",
                Some("https://hooks.test:443/-/connect"),
            ),
            (
                "http://127.0.0.1:8080/",
                Some("http://127.0.0.1:8080/-/connect"),
            ),
            ("http://[::1]/base/", Some("http://[::1]:80/base/-/connect")),
            ("ftp://hooks.test", None),
            ("https://:secret@hooks.test", None),
        ] {
            let endpoint = endpoint(&relay.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{relay}");
        }
    }
}
