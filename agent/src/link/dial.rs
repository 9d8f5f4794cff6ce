//! Connects to the relay: TCP, through a proxy if one is set, TLS, and the websocket upgrade. A
//! refusal is returned as its consequence for dialling again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use podtap_connect::Connector;
use podtap_connect::tls::{self, TlsUnavailable};
use podtap_wire::{ConnectRefusal, version};
use rustls::pki_types::{CertificateDer, ServerName};
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

use super::disconnect::Disconnect;
use super::exchange::exchange;
use super::socket;
use super::upgrade::upgrade;
use crate::config::LinkConfig;
use crate::reason;
use crate::target::without_user_info;

/// Maximum time for everything: name, TCP, proxy, TLS,
/// upgrade. A person reads within ten seconds what is wrong.
const DIAL_TIMEOUT: Duration = Duration::from_secs(8);

/// Path at which a relay accepts agents.
const CONNECT_PATH: &str = "/-/connect";

/// Maximum number of bytes that are read of a refusal's body.
const MAX_REFUSAL_BYTES: usize = 16 * 1024;

/// A connection to the relay.
pub(super) type LinkSocket = WebSocketStream<TokioIo<Upgraded>>;

/// The relay's address cannot be dialled, or TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The URL is not that of a relay.
    #[error(
        "{} is not a relay's URL: it must begin with https:// or http://, have a host, and have no \
         user",
        without_user_info(url.as_str())
    )]
    Relay { url: Url },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsUnavailable),
    /// The token contains characters that a header cannot contain.
    #[error("this token is not valid: it has characters that are not allowed in a token")]
    Token,
}

/// The error if another server answers.
pub(super) const NOT_A_RELAY: &str = "the server at this URL is not a relay";

/// Dials one relay, any number of times.
pub(super) struct Dialer {
    /// The endpoint for agents, with an explicit port.
    endpoint: Uri,
    host: HeaderValue,
    authorization: HeaderValue,
    connector: Connector,
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
    /// Creates a dialer for a few calls, with its own TLS configuration.
    pub(super) fn trusting(link: &LinkConfig, trust: &tls::Trust) -> Result<Self, DialError> {
        let tls = tls::client_config(link.relay.scheme() == "https", trust)?;
        Self::new(link, tls)
    }

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
        let tls = (link.relay.scheme() == "https").then(|| TlsConnector::from(tls));
        Ok(Self {
            endpoint,
            host,
            authorization,
            connector: Connector::new(link.proxy.clone(), DIAL_TIMEOUT),
            tls,
        })
    }

    /// Dials once.
    pub(super) async fn dial(&self) -> Result<LinkSocket, Disconnect> {
        let deadline = Instant::now() + DIAL_TIMEOUT;
        let stream = timeout_at(deadline, self.stream());
        let no_connection = || {
            if self.connector.has_proxy() {
                "the proxy did not connect to the relay in time"
            } else {
                "the relay's address did not answer in time"
            }
        };
        let stream = stream
            .await
            .unwrap_or_else(|_| Err(Disconnect::retry(no_connection())))?;
        timeout_at(deadline, self.open(stream))
            .await
            .unwrap_or_else(|_| {
                Err(Disconnect::retry(
                    "the server accepts the connection but does not answer: is this the relay's \
                     URL?",
                ))
            })
    }

    async fn open(&self, stream: TcpStream) -> Result<LinkSocket, Disconnect> {
        let Some(tls) = &self.tls else {
            return self.upgrade(stream).await;
        };
        let stream = self.secure(tls, stream).await?;
        self.upgrade(stream).await
    }

    async fn secure(
        &self,
        tls: &TlsConnector,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Disconnect> {
        let host = self.endpoint.host().unwrap_or_default();
        let name =
            ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| {
                Disconnect::retry("the relay's host is not a valid name for a certificate")
            })?;
        tls.connect(name, stream)
            .await
            .map_err(|e| to_disconnect(&e))
    }

    /// Connects with TLS and returns the certificates that
    /// the relay sent; `None` for a relay without TLS.
    pub(super) async fn chain(&self) -> Result<Option<Vec<CertificateDer<'static>>>, Disconnect> {
        let stream = self.stream().await?;
        let Some(tls) = &self.tls else {
            return Ok(None);
        };
        let stream = self.secure(tls, stream).await?;
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates().unwrap_or_default();
        Ok(Some(
            chain
                .iter()
                .cloned()
                .map(CertificateDer::into_owned)
                .collect(),
        ))
    }

    /// Sends one request over plain HTTP.
    pub(super) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Disconnect> {
        let stream = self.stream().await?;
        match &self.tls {
            Some(tls) => exchange(self.secure(tls, stream).await?, request).await,
            None => exchange(stream, request).await,
        }
    }

    /// Returns a path of the relay, which may be below a path of a proxy.
    pub(super) fn path(&self, path: &str) -> String {
        let below = self.endpoint.path().trim_end_matches(CONNECT_PATH);
        format!("{below}{path}")
    }

    /// Starts a request with the headers that every request to the relay has.
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
        let stream = self.connector.clone().connect(self.endpoint.clone()).await;
        stream
            .map(TokioIo::into_inner)
            .map_err(|e| to_disconnect(&e))
    }

    /// Upgrades the connection to a websocket. It uses hyper, because tungstenite returns only the
    /// part of a refusal's body that came with the head.
    async fn upgrade<S>(&self, stream: S) -> Result<LinkSocket, Disconnect>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let key = generate_key();
        let request = self.request(&key).map_err(|e| to_disconnect(&e))?;
        let accepted = derive_accept_key(key.as_bytes());
        let upgraded = upgrade(stream, request, async move |response| {
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Err(refusal(response).await);
            }
            let accept = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
            if accept.is_none_or(|accept| *accept != accepted) {
                return Err(Disconnect::retry(NOT_A_RELAY));
            }
            Ok(response)
        })
        .await?;
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

/// Returns the relay's endpoint for agents. The port is explicit, because a proxy needs it.
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

/// Returns the consequence of a refused upgrade.
async fn refusal(response: Response<Incoming>) -> Disconnect {
    let status = response.status();
    let media = response.headers().get(header::CONTENT_TYPE);
    let is_page = response.headers().contains_key(header::LOCATION)
        || media.is_some_and(|media| media.as_bytes().starts_with(b"text/html"));
    let body = Limited::new(response.into_body(), MAX_REFUSAL_BYTES)
        .collect()
        .await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    if let Ok(refusal) = serde_json::from_slice::<ConnectRefusal>(&body) {
        return refusal.into();
    }
    // The answer is not from a relay: it comes from a proxy in front of it or from another server.
    // None of this ends the link.
    Disconnect::retry(not_of_a_relay(status, is_page))
}

/// Describes an answer that is not from a relay.
pub(super) fn not_of_a_relay(status: StatusCode, is_page: bool) -> String {
    match status {
        StatusCode::UNAUTHORIZED => {
            "a server in front of the relay requires a login (401): check the URL".to_owned()
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "a proxy requires a user and a password (407): put them into HTTPS_PROXY or http_proxy"
                .to_owned()
        }
        StatusCode::FORBIDDEN => "a proxy or firewall blocked the agent (403)".to_owned(),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            format!(
                "the proxy in front of the relay cannot reach it ({})",
                status.as_u16()
            )
        }
        _ if is_page && (status.is_success() || status.is_redirection()) => format!(
            "the server at this URL answered with a web page ({}), so it is not a relay: check the \
             URL, and whether this network requires a login in the browser first",
            status.as_u16()
        ),
        _ => {
            format!("the server at this URL answered {status}, so it is not a relay: check the URL")
        }
    }
}

fn to_disconnect(error: &(dyn std::error::Error + 'static)) -> Disconnect {
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
