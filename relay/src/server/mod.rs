//! Listening: accepted under a permit, served by hyper under time limits, drained at the end.
//!
//! Knows nothing of webhooks or agents; whoever handles requests is a parameter.

mod idle;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Limits;
use crate::core::Core;
use idle::Activity;

/// The body of an answer: always whole.
pub(crate) type Answer = Full<Bytes>;

/// A connection's place among those allowed; shared with what outlives the connection.
pub(crate) type Permit = Arc<OwnedSemaphorePermit>;

/// The largest request head, and what hyper buffers of a body, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The most headers of a request. hyper's default of 100 is within what proxies add up to.
const MAX_HEADERS: usize = 256;

/// HTTP/2: streams and bytes that one connection may have under way.
const MAX_STREAMS: u32 = 128;
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// The pause after a failed accept: the usual cause is a lack of file descriptors, and it passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whoever answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer to one request. May be dropped when the connection goes away.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        permit: Permit,
    ) -> impl Future<Output = Response<Answer>> + Send;
}

/// A listener and its connections.
#[derive(Debug)]
pub(crate) struct Server<H> {
    listener: TcpListener,
    address: SocketAddr,
    handler: Arc<H>,
    limits: Limits,
    open: Gauge,
}

impl<H: Handler> Server<H> {
    pub(crate) fn new(listener: TcpListener, address: SocketAddr, handler: H, core: &Core) -> Self {
        Self {
            listener,
            address,
            handler: Arc::new(handler),
            limits: core.limits.clone(),
            open: core.metrics.connections.clone(),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to drain; then answers what was accepted and ends within `patience`.
    pub(crate) async fn run(self, draining: CancellationToken, patience: Duration) {
        let connections = TaskTracker::new();
        let builder = Arc::new(Self::builder(&connections));
        let permits = Arc::new(Semaphore::new(self.limits.max_connections));
        // Both arms are cancel-safe: a permit or a connection not returned was not taken.
        while let Some((stream, peer, permit)) = tokio::select! {
            accepted = self.accept(&permits) => Some(accepted),
            () = draining.cancelled() => None,
        } {
            let connection = Connection {
                handler: Arc::clone(&self.handler),
                builder: Arc::clone(&builder),
                activity: Activity::new(self.limits.head_timeout, self.limits.idle_timeout),
                peer: peer.ip().to_canonical(),
                permit,
            };
            let (open, draining) = (self.open.clone(), draining.clone());
            connections.spawn(async move {
                open.inc();
                connection.serve(stream, draining).await;
                open.dec();
            });
        }
        drop(self.listener);
        connections.close();
        if timeout_at(Instant::now() + patience, connections.wait())
            .await
            .is_err()
        {
            let left = connections.len();
            tracing::warn!(address = %self.address, left, "connections did not end in time");
        }
    }

    async fn accept(&self, permits: &Arc<Semaphore>) -> (TcpStream, SocketAddr, Permit) {
        loop {
            if let Ok(permit) = Arc::clone(permits).acquire_owned().await {
                match self.listener.accept().await {
                    Ok((stream, peer)) => return (stream, peer, Arc::new(permit)),
                    Err(error) => tracing::warn!(address = %self.address, %error, "cannot accept"),
                }
            }
            sleep(ACCEPT_PAUSE).await;
        }
    }

    fn builder(connections: &TaskTracker) -> auto::Builder<Streams> {
        let mut builder = auto::Builder::new(Streams(connections.clone()));
        builder
            .http1()
            .timer(TokioTimer::new())
            // `Activity` bounds the head: it knows of idle connections as well.
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX));
        builder
    }
}

/// One connection before it is served.
struct Connection<H> {
    handler: Arc<H>,
    builder: Arc<auto::Builder<Streams>>,
    activity: Activity,
    peer: IpAddr,
    permit: Permit,
}

impl<H: Handler> Connection<H> {
    async fn serve(self, stream: TcpStream, draining: CancellationToken) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delays");
        }
        let Self {
            handler,
            builder,
            activity,
            peer,
            permit,
        } = self;
        let activity = Arc::new(activity);
        let service = service_fn(|request: Request<Incoming>| {
            let (handler, activity) = (Arc::clone(&handler), Arc::clone(&activity));
            let permit = Arc::clone(&permit);
            async move {
                let _in_progress = activity.begin();
                let is_head = request.method() == Method::HEAD;
                let mut answer = handler.handle(request, peer, permit).await;
                if is_head {
                    *answer.body_mut() = Answer::default();
                }
                Ok::<_, std::convert::Infallible>(answer)
            }
        });
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        // The connection is pinned outside and so survives an arm that loses.
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = activity.overdue() => return,
            () = draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection broke off");
        }
    }
}

/// Runs the streams of HTTP/2 as tasks that the server waits for.
#[derive(Debug, Clone)]
struct Streams(TaskTracker);

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

/// A short answer for people.
pub(crate) fn text(status: StatusCode, words: impl Into<String>) -> Response<Answer> {
    let mut words = words.into();
    words.push('\n');
    let mut answer = Response::new(full(words.into()));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

/// A body of these bytes.
pub(crate) fn full(bytes: Bytes) -> Answer {
    Full::new(bytes)
}
