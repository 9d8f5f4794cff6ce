//! Connections to the local service that tell whether an answer has begun on them. A kept-alive
//! connection may be closed by the other side at any moment, and a request that meets the closing
//! was lost through nobody's fault: the forwarder sends it once more on a new one.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::Scheme;
use http::{Extensions, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use podtap_connect::client::{Versions, https};
use podtap_connect::{Connector, Trust, tls};
use podtap_podio::reach::is_private;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

/// Time to connect, TLS included. A local service that does not even refuse within it is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Its share for TCP.
const TCP_LIMIT: Duration = Duration::from_secs(4);

/// Why there is no connection where TCP took less time than there is.
const NO_HANDSHAKE: &str = "no answer to the TLS handshake; does it speak https there?";

/// Why an address is not called.
const NOT_NEAR: &str = "--insecure-local is for this machine and private addresses only; --ca-file \
     trusts a certificate anywhere";

/// What goes over one connection, TLS taken off.
type Stream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// What was read from one connection. Clones are about the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadMeter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Bytes read so far.
    read: AtomicU64,
    /// How many of them had been read when something was written last: answers to earlier
    /// requests, so 0 on a new connection.
    before: AtomicU64,
}

impl ReadMeter {
    /// Of the connection with this description.
    pub(crate) fn of(connected: &Connected) -> Option<Self> {
        let mut extensions = Extensions::new();
        connected.get_extras(&mut extensions);
        extensions.remove()
    }

    /// Whether the connection has carried an answer before, and not a byte of the next one.
    pub(crate) fn is_stale(&self) -> bool {
        let before = self.0.before.load(Ordering::Relaxed);
        before > 0 && before == self.0.read.load(Ordering::Relaxed)
    }

    /// Whether a byte of the answer to the last request has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.before.load(Ordering::Relaxed) < self.0.read.load(Ordering::Relaxed)
    }

    fn has_read(&self, bytes: usize) {
        self.0.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn writes(&self) {
        let read = self.0.read.load(Ordering::Relaxed);
        self.0.before.store(read, Ordering::Relaxed);
    }
}

/// Makes connections to local services, each with a `ReadMeter`.
#[derive(Debug, Clone)]
pub struct ServiceConnector {
    verified: HttpsConnector<Connector>,
    /// For this machine and private addresses only; takes any certificate.
    unverified: HttpsConnector<Connector<PrivateOnly>>,
    insecure_local: bool,
}

impl ServiceConnector {
    /// A connector with this trust, and the TLS that comes of it, for a relay. Without the system's
    /// certificates it is an error where TLS `is_needed`.
    pub fn with_tls(
        trust: &Trust,
        is_needed: bool,
    ) -> Result<(Arc<rustls::ClientConfig>, Self), rustls::Error> {
        let tls = tls::client_config(is_needed, trust)?;
        let connector = Self::new(trust, Arc::clone(&tls))?;
        Ok((tls, connector))
    }

    fn new(trust: &Trust, tls: Arc<rustls::ClientConfig>) -> Result<Self, rustls::Error> {
        let near = PrivateOnly(GaiResolver::new());
        let near = Connector::with_resolver(near, None, TCP_LIMIT);
        let verified = Connector::new(None, TCP_LIMIT);
        Ok(Self {
            verified: https(verified, Arc::unwrap_or_clone(tls), Versions::Http1),
            unverified: https(near, tls::unverified()?, Versions::Http1),
            insecure_local: trust.insecure_local,
        })
    }

    /// Whether TLS is spoken where this `http` URL leads.
    pub(crate) async fn speaks_tls(&self, uri: &Uri) -> bool {
        let mut parts = uri.clone().into_parts();
        parts.scheme = Some(Scheme::HTTPS);
        let Ok(uri) = Uri::from_parts(parts) else {
            return false;
        };
        is_near(&uri) && self.unverified.clone().call(uri).await.is_ok()
    }
}

/// Whether a host is not an address that anybody on the internet may have. Names are for the
/// resolver to judge.
fn is_near(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.parse().map_or(true, is_private)
}

/// Resolves names to this machine and to private addresses, and to no others.
#[derive(Debug, Clone)]
pub struct PrivateOnly(GaiResolver);

impl Service<Name> for PrivateOnly {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            let all: Vec<_> = resolving.await?.filter(|at| is_private(at.ip())).collect();
            if all.is_empty() {
                return Err(io::Error::other(NOT_NEAR));
            }
            Ok(all.into_iter())
        })
    }
}

/// A connection cannot be made; why is its source's to say.
type ServiceConnectError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for ServiceConnector {
    type Response = TokioIo<Observed>;
    type Error = ServiceConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ServiceConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ServiceConnectError>> {
        // Neither of the two is ever busy.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (verified, unverified) = (self.verified.clone(), self.unverified.clone());
        let is_any_taken = self.insecure_local && uri.scheme() == Some(&Scheme::HTTPS);
        let connecting = async move {
            match is_any_taken {
                true if !is_near(&uri) => Err(io::Error::other(NOT_NEAR).into()),
                true => ready(unverified).await?.call(uri).await,
                false => ready(verified).await?.call(uri).await,
            }
        };
        Box::pin(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            let stream =
                connected.unwrap_or_else(|_| Err(io::Error::other(NO_HANDSHAKE).into()))?;
            Ok(TokioIo::new(Observed {
                stream: TokioIo::new(stream),
                reading: ReadMeter::default(),
            }))
        })
    }
}

async fn ready<S: Service<Uri, Error = ServiceConnectError>>(
    mut service: S,
) -> Result<S, ServiceConnectError> {
    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
    Ok(service)
}

/// A connection whose reading is counted.
#[derive(Debug)]
pub struct Observed {
    stream: Stream,
    reading: ReadMeter,
}

impl Connection for Observed {
    fn connected(&self) -> Connected {
        let connected = self.stream.inner().connected();
        connected.extra(self.reading.clone())
    }
}

impl AsyncRead for Observed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.reading.has_read(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Observed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.reading.writes();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.reading.writes();
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
