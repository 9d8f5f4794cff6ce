//! Handles what precedes HTTP on a connection: the PROXY header of a load balancer, then
//! the TLS handshake. Both are limited in time and number.
//!
//! The time limit is that of the first head, and it starts with the connection. If the
//! number is reached, the connection that began first is closed to make room for a new one.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, last_call};
use super::crowd;
use super::handler::Handler;
use super::places::NoPlace;
use super::proxy_header::{self, NoHeader};
use super::room::Room;
use super::seldom::Seldom;
use crate::peer::{PeerGroup, TrustedProxies};
use crate::tls::Tls;

/// Maximum number of connections in this state. Each may use 64 KiB, the maximum that
/// rustls reads of a handshake.
pub(super) const MAX_OPENINGS: usize = 1024;

/// A connection that was accepted.
pub(super) struct OpeningConnection<H> {
    pub(super) connection: Connection<H>,
    /// `None` for HTTP without TLS.
    pub(super) tls: Option<Tls>,
    /// `None` if no PROXY header is expected.
    pub(super) proxy: Option<ProxyPolicy>,
    pub(super) room: Arc<Room>,
}

/// Peers that have to send a PROXY header; all others must not send one.
#[derive(Debug, Clone)]
pub(super) struct ProxyPolicy {
    pub(super) trusted: TrustedProxies,
    pub(super) warnings: Arc<Seldom>,
}

/// Reason why a connection did not get as far as HTTP.
#[derive(Debug, thiserror::Error)]
enum OpeningError {
    /// The peer sent nothing, like a load balancer that checks whether the port is open.
    #[error("nothing was sent")]
    Silent,
    #[error("HTTP on a port for https")]
    PlainText,
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    #[error(transparent)]
    Header(NoHeader),
    #[error("a PROXY header from an address that is not a trusted proxy")]
    Stranger,
    #[error("too many connections of one sender behind the proxy")]
    Crowded(NoPlace),
    #[error("it took too long")]
    Late,
    #[error("it made room for another one")]
    NoRoom,
    #[error("the connection broke off")]
    Io(#[source] io::Error),
}

/// A connection that is ready for HTTP.
enum HttpStream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl<H: Handler> OpeningConnection<H> {
    pub(super) async fn serve(self, stream: TcpStream, draining: CancellationToken) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delays");
        }
        if self.tls.is_none() && self.proxy.is_none() {
            return self.connection.serve(stream, draining).await;
        }
        let metrics = Arc::clone(&self.connection.metrics);
        match Box::pin(self.open(stream, &draining)).await {
            Ok((connection, HttpStream::Plain(stream))) => {
                Box::pin(connection.serve(stream, draining)).await;
            }
            Ok((connection, HttpStream::Secured(stream))) => {
                Box::pin(connection.serve(stream, draining)).await;
            }
            Err(OpeningError::Crowded(why)) => metrics.connection_refused(why.name()),
            Err(failed) => {
                if let Some(reason) = failed.name() {
                    metrics.handshake_failed(reason);
                }
            }
        }
    }

    async fn open(
        self,
        stream: TcpStream,
        draining: &CancellationToken,
    ) -> Result<(Connection<H>, HttpStream), OpeningError> {
        let Self {
            mut connection,
            tls,
            proxy,
            room,
        } = self;
        let activity = &connection.activity;
        let close = activity.close();
        let mut spot = room.enter(&close);
        spot.take(1);
        let came_from = connection.peer;
        let opening = async {
            let mut stream = stream;
            let early = async {
                let peer = match &proxy {
                    Some(proxy) => proxy.sender(&mut stream, came_from).await?,
                    None => came_from,
                };
                if peer != came_from
                    && !proxy
                        .as_ref()
                        .is_some_and(|proxy| proxy.trusted.contain(peer))
                {
                    let counted = activity.assign(PeerGroup::from(peer));
                    counted.map_err(OpeningError::Crowded)?;
                }
                if tls.is_some() && begins_in_the_clear(&stream).await? {
                    return Err(OpeningError::PlainText);
                }
                Ok(peer)
            };
            let peer = match early.await {
                Ok(peer) => peer,
                Err(failed) => {
                    if let Some(answer) = failed.answer(tls.is_some()) {
                        // The sender may have stopped listening already.
                        let _ = stream.write_all(&answer).await;
                        crowd::linger(&mut stream).await;
                    }
                    return Err(failed);
                }
            };
            let opened = match &tls {
                None => HttpStream::Plain(stream),
                Some(tls) => HttpStream::Secured(Box::new(shake(tls, stream).await?)),
            };
            Ok((peer, opened))
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = activity.wait_until_overdue() => Err(OpeningError::Late),
            () = close.notified() => Err(OpeningError::NoRoom),
            () = last_call(draining, activity) => Err(OpeningError::Silent),
        };
        drop(spot);
        match opened {
            Ok((peer, opened)) => {
                connection.peer = peer;
                Ok((connection, opened))
            }
            Err(failed) => {
                tracing::debug!(peer = %came_from, error = %failed, "a connection did not open");
                if let Some(proxy) = proxy {
                    proxy.warn(came_from, &failed);
                }
                Err(failed)
            }
        }
    }
}

impl ProxyPolicy {
    /// Returns the address of the sender behind a connection from `peer`.
    async fn sender(&self, stream: &mut TcpStream, peer: IpAddr) -> Result<IpAddr, OpeningError> {
        if self.trusted.contain(peer) {
            let said = proxy_header::read(stream)
                .await
                .map_err(|error| match error {
                    NoHeader::Silent => OpeningError::Silent,
                    error => OpeningError::Header(error),
                })?;
            return Ok(said.map_or(peer, |sender| sender.ip().to_canonical()));
        }
        // 16 bytes suffice to recognize a header. If they arrive in smaller pieces, the header is
        // not detected here, but it is not valid HTTP either.
        let mut first = [0; 16];
        let count = stream.peek(&mut first).await.map_err(OpeningError::Io)?;
        let first = first.get(..count).unwrap_or_default();
        if first.is_empty() {
            return Err(OpeningError::Silent);
        }
        if proxy_header::is_header(first) {
            return Err(OpeningError::Stranger);
        }
        Ok(peer)
    }

    /// Logs the failure, at most once per minute.
    fn warn(&self, peer: IpAddr, failed: &OpeningError) {
        let is_told = matches!(failed, OpeningError::Header(_) | OpeningError::Stranger);
        if is_told && let Some(connections) = self.warnings.count(Instant::now()) {
            tracing::warn!(%peer, error = %failed, connections, "connections were refused");
        }
    }
}

impl OpeningError {
    /// Returns the reason as used in the metrics.
    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Silent | Self::Io(_) | Self::Crowded(_) => None,
            Self::PlainText => Some("plain-text"),
            Self::Tls(_) => Some("tls"),
            Self::Header(_) => Some("proxy-header"),
            Self::Stranger => Some("proxy-stranger"),
            Self::Late => Some("timeout"),
            Self::NoRoom => Some("room"),
        }
    }

    /// Returns the answer to the peer, if its protocol is known.
    fn answer(&self, is_tls: bool) -> Option<Vec<u8>> {
        match self {
            Self::PlainText => Some(bad_request(
                "this port expects TLS: use https:// in the URL",
            )),
            Self::Crowded(_) => Some(crowd::answer(is_tls).to_vec()),
            Self::Header(NoHeader::Missing) if !is_tls => Some(bad_request(
                "a PROXY header is expected from this address before the request",
            )),
            Self::Stranger if !is_tls => Some(bad_request(
                "a PROXY header is accepted only from trusted proxies",
            )),
            _ => None,
        }
    }
}

fn bad_request(words: &str) -> Vec<u8> {
    let length = words.len() + 1;
    format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{words}\n"
    )
    .into_bytes()
}

/// Returns whether the first byte is a letter. A method always begins with a letter, a TLS
/// record never does.
async fn begins_in_the_clear(stream: &TcpStream) -> Result<bool, OpeningError> {
    let mut first = [0];
    match stream.peek(&mut first).await.map_err(OpeningError::Io)? {
        0 => Err(OpeningError::Silent),
        _ => Ok(first.iter().all(u8::is_ascii_alphabetic)),
    }
}

async fn shake(tls: &Tls, stream: TcpStream) -> Result<TlsStream<TcpStream>, OpeningError> {
    let accepting = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let hello = accepting.await.map_err(OpeningError::Tls)?;
    let purpose = tls.purpose(&hello.client_hello());
    let shaken = hello.into_stream(purpose.config).await;
    let mut stream = shaken.map_err(OpeningError::Tls)?;
    if purpose.is_challenge {
        // The authority's check is complete with the handshake.
        let _ = stream.shutdown().await;
        return Err(OpeningError::Silent);
    }
    Ok(stream)
}
