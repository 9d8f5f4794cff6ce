//! Connections to the local service that tell whether an answer has begun on them. A kept-alive
//! connection may be closed by the other side at any moment, and a request that meets the closing
//! was lost through nobody's fault: the forwarder sends it once more on a new one.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http::{Extensions, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

/// What goes over one connection, TLS taken off.
type Stream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// What was read from one connection. Clones are about the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Bytes read so far.
    read: AtomicU64,
    /// How many of them had been read when something was written last: answers to earlier
    /// requests, so 0 on a new connection.
    before: AtomicU64,
}

impl Reading {
    /// Of the connection with this description.
    pub(super) fn of(connected: &Connected) -> Option<Self> {
        let mut extensions = Extensions::new();
        connected.get_extras(&mut extensions);
        extensions.remove()
    }

    /// Whether the connection has carried an answer before, and not a byte of the next one.
    pub(super) fn is_stale(&self) -> bool {
        let before = self.0.before.load(Ordering::Relaxed);
        before > 0 && before == self.0.read.load(Ordering::Relaxed)
    }

    fn has_read(&self, bytes: usize) {
        self.0.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn writes(&self) {
        let read = self.0.read.load(Ordering::Relaxed);
        self.0.before.store(read, Ordering::Relaxed);
    }
}

/// Makes connections with a [`Reading`].
#[derive(Debug, Clone)]
pub(super) struct Connector(pub(super) HttpsConnector<HttpConnector>);

impl Service<Uri> for Connector {
    type Response = TokioIo<Observed>;
    type Error = <HttpsConnector<HttpConnector> as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            Ok(TokioIo::new(Observed {
                stream: TokioIo::new(connecting.await?),
                reading: Reading::default(),
            }))
        })
    }
}

/// A connection whose reading is counted.
#[derive(Debug)]
pub(super) struct Observed {
    stream: Stream,
    reading: Reading,
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
