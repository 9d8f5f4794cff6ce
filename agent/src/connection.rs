//! Connects to the local service, and records whether an answer has begun on a connection. The
//! other side may close a kept-alive connection at any moment, and a request that arrives at that
//! moment is lost: the forwarder sends it once more on a new connection.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
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
use podtap_connect::tls::{self, TlsUnavailable};
use podtap_connect::{Connector, Trust};
use podtap_podio::reach::is_private;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

/// Maximum time to connect, TLS included. A local service that does not even refuse within this
/// time is unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum time for TCP.
const TCP_LIMIT: Duration = Duration::from_secs(4);

/// The error if TCP connected in time and TLS did not.
const NO_HANDSHAKE: &str = "no answer to the TLS handshake; is https the right scheme?";

/// The error for an address that is not on this machine.
const NOT_NEAR: &str = "--insecure-local is for this machine only; --ca-file trusts a certificate \
     anywhere";

/// The data of one connection, with TLS removed.
type ServiceStream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// Counts what was read from one connection. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadMeter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Number of bytes read so far.
    read: AtomicU64,
    /// Value of `read` at the last write: bytes of answers
    /// to earlier requests, so 0 on a new connection.
    before: AtomicU64,
}

impl ReadMeter {
    /// Returns the meter of the connection with this description.
    pub(crate) fn of(connected: &Connected) -> Option<Self> {
        let mut extensions = Extensions::new();
        connected.get_extras(&mut extensions);
        extensions.remove()
    }

    /// Returns whether the connection has carried an answer before, and no byte of the next one.
    pub(crate) fn is_stale(&self) -> bool {
        let before = self.0.before.load(Ordering::Relaxed);
        before > 0 && before == self.0.read.load(Ordering::Relaxed)
    }

    /// Returns whether a byte of the answer to the last request has arrived.
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

/// Connects to local services, each connection with a `ReadMeter`.
#[derive(Debug, Clone)]
pub struct ServiceConnector {
    verified: HttpsConnector<Connector>,
    /// For this machine only; accepts any certificate.
    unverified: HttpsConnector<Connector<Only>>,
    /// For this machine and private addresses only, to send nothing; accepts any certificate.
    looking: HttpsConnector<Connector<Only>>,
    insecure_local: bool,
}

impl ServiceConnector {
    /// Creates a connector with this trust, and the corresponding TLS configuration for a relay.
    /// Without the system's certificates, it returns an error if TLS `is_needed`.
    pub fn with_tls(
        trust: &Trust,
        is_needed: bool,
    ) -> Result<(Arc<rustls::ClientConfig>, Self), TlsUnavailable> {
        let tls = tls::client_config(is_needed, trust)?;
        let connector = Self::new(trust, Arc::clone(&tls))?;
        Ok((tls, connector))
    }

    fn new(trust: &Trust, tls: Arc<rustls::ClientConfig>) -> Result<Self, TlsUnavailable> {
        let taking = |takes| -> Result<_, TlsUnavailable> {
            let resolver = GaiResolver::new();
            let near = Connector::with_resolver(Only { resolver, takes }, None, TCP_LIMIT);
            Ok(https(
                near,
                tls::config_without_verification()?,
                Versions::Http1,
            ))
        };
        let verified = Connector::new(None, TCP_LIMIT);
        Ok(Self {
            verified: https(verified, Arc::unwrap_or_clone(tls), Versions::Http1),
            unverified: taking(is_loopback)?,
            looking: taking(is_private)?,
            insecure_local: trust.insecure_local,
        })
    }

    /// Returns whether the service at this `http` URL speaks TLS.
    pub(crate) async fn speaks_tls(&self, uri: &Uri) -> bool {
        let mut parts = uri.clone().into_parts();
        parts.scheme = Some(Scheme::HTTPS);
        let Ok(uri) = Uri::from_parts(parts) else {
            return false;
        };
        is_at(&uri, is_private) && self.looking.clone().call(uri).await.is_ok()
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Returns whether a host is an accepted address, or a name, which the resolver checks.
fn is_at(uri: &Uri, takes: fn(IpAddr) -> bool) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.parse().map_or(true, takes)
}

/// Resolves names only to the accepted addresses.
#[derive(Debug, Clone)]
pub struct Only {
    resolver: GaiResolver,
    takes: fn(IpAddr) -> bool,
}

impl Service<Name> for Only {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.resolver.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, takes) = (self.resolver.call(name), self.takes);
        Box::pin(async move { take_addresses(resolving.await?, takes) })
    }
}

/// Returns the accepted addresses of a name.
fn take_addresses(
    all: impl Iterator<Item = SocketAddr>,
    takes: fn(IpAddr) -> bool,
) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    let taken: Vec<_> = all.filter(|at| takes(at.ip())).collect();
    if taken.is_empty() {
        return Err(io::Error::other(NOT_NEAR));
    }
    Ok(taken.into_iter())
}

/// A connection failed; its source describes why.
type ServiceConnectError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for ServiceConnector {
    type Response = TokioIo<CountedStream>;
    type Error = ServiceConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ServiceConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ServiceConnectError>> {
        // Neither of the two connectors is ever busy.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (verified, unverified) = (self.verified.clone(), self.unverified.clone());
        let is_any_taken = self.insecure_local && uri.scheme() == Some(&Scheme::HTTPS);
        let connecting = async move {
            match is_any_taken {
                true if !is_at(&uri, is_loopback) => Err(io::Error::other(NOT_NEAR).into()),
                true => ready(unverified).await?.call(uri).await,
                false => ready(verified).await?.call(uri).await,
            }
        };
        Box::pin(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            let stream =
                connected.unwrap_or_else(|_| Err(io::Error::other(NO_HANDSHAKE).into()))?;
            Ok(TokioIo::new(CountedStream {
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

/// A connection that counts what is read from it.
#[derive(Debug)]
pub struct CountedStream {
    stream: ServiceStream,
    reading: ReadMeter,
}

impl Connection for CountedStream {
    fn connected(&self) -> Connected {
        let connected = self.stream.inner().connected();
        connected.extra(self.reading.clone())
    }
}

impl AsyncRead for CountedStream {
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

impl AsyncWrite for CountedStream {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_certificate_that_nobody_vouches_for_is_taken_from_this_machine_only() {
        let trust = Trust {
            insecure_local: true,
            ..Trust::default()
        };
        let (_, mut connector) = ServiceConnector::with_tls(&trust, false).unwrap();
        for far in [
            "https://192.168.255.254",
            "https://[fd00::1]",
            "https://192.0.2.1",
            "https://[::ffff:10.0.0.1]",
        ] {
            let refused = connector.call(far.parse().unwrap()).await.unwrap_err();
            assert!(
                refused.to_string().contains("this machine only"),
                "{far}: {refused}"
            );
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused_and_of_several_addresses_those_here_are_called() {
        let resolved = |addresses: &[&str]| {
            let addresses: Vec<SocketAddr> =
                addresses.iter().map(|at| at.parse().unwrap()).collect();
            let taken = take_addresses(addresses.into_iter(), is_loopback);
            taken.map(|at| at.map(|at| at.to_string()).collect::<Vec<_>>())
        };
        let refused = resolved(&["10.0.0.1:443", "[fd00::1]:443"]).unwrap_err();
        assert!(
            refused.to_string().contains("this machine only"),
            "{refused}"
        );
        assert!(resolved(&[]).is_err());
        let here = resolved(&[
            "10.0.0.1:443",
            "127.0.0.2:443",
            "[::1]:443",
            "192.0.2.1:443",
        ]);
        assert_eq!(here.unwrap(), ["127.0.0.2:443", "[::1]:443"]);
    }
}
