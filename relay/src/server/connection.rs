//! Serves one connection with hyper until it ends, is quiet for too long, or must make room.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handler::Handler;
use super::head::{HeadRecord, Heads, RecordedStream};
use super::idle::Activity;
use crate::answer::HttpAnswer;
use crate::metrics::Metrics;
use crate::spelling::{HeaderSpelling, MAX_HEADERS};

/// Smallest limit for heads that hyper accepts, in bytes.
const LEAST_HEAD_BYTES: usize = 8 * 1024;

/// Maximum number of streams per HTTP/2 connection, and of bytes on their way.
const MAX_STREAMS: u32 = 32;
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// Time that a quiet connection still has when the relay shuts down: its sender may already
/// have sent a request, or may be about to.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Builder with which all connections are served.
pub(super) type Builder = auto::Builder<StreamTasks>;

/// Returns the builder for connections whose HTTP/2 streams are tasks of `tasks`. A head longer
/// than `max_head_bytes` is answered 431, and at most as many bytes of a body are read ahead.
pub(super) fn builder(tasks: &TaskTracker, max_head_bytes: usize) -> Builder {
    let max_head_bytes = max_head_bytes.max(LEAST_HEAD_BYTES);
    let mut builder = auto::Builder::new(StreamTasks(tasks.clone()));
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Activity` limits the time for a head, because it also covers idle connections.
        .header_read_timeout(None)
        // A sender may close its side after the request and still wait for the answer.
        .half_close(true)
        .max_buf_size(max_head_bytes)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(max_head_bytes).unwrap_or(u32::MAX));
    builder
}

/// An accepted connection that is not served yet.
pub(super) struct Connection<H> {
    pub(super) handler: Arc<H>,
    pub(super) builder: Arc<Builder>,
    pub(super) activity: Activity,
    pub(super) peer: IpAddr,
    pub(super) heads: Arc<Heads>,
    pub(super) metrics: Arc<Metrics>,
}

impl<H: Handler> Connection<H> {
    pub(super) async fn serve<S>(self, stream: S, draining: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self {
            handler,
            builder,
            activity,
            peer,
            heads,
            metrics,
        } = self;
        let close = activity.close();
        let record = HeadRecord::new(heads, Arc::clone(&close));
        let activity = Arc::new(activity);
        let service = service_fn(|mut request: Request<Incoming>| {
            let (handler, activity) = (Arc::clone(&handler), Arc::clone(&activity));
            let record = Arc::clone(&record);
            async move {
                let _in_progress = activity.begin();
                if let Some(spelling) = HeaderSpelling::of(&record.take()) {
                    request.extensions_mut().insert(spelling);
                }
                let is_head = request.method() == Method::HEAD;
                let mut answer = handler.handle(request, peer).await;
                if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                    record.stop();
                } else {
                    record.expect_head();
                }
                if is_head {
                    *answer.body_mut() = HttpAnswer::default();
                }
                Ok::<_, std::convert::Infallible>(answer)
            }
        });
        let io = TokioIo::new(RecordedStream::new(stream, Arc::clone(&record)));
        let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
        // The connection is pinned outside of `select!`, so it survives if another arm completes.
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = activity.wait_until_overdue() => return metrics.connection_closed("idle"),
            () = close.notified() => {
                metrics.connection_closed("room");
                None
            }
            () = last_call(&draining, &activity) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None if activity.is_quiet() && !draining.is_cancelled() => return,
            None => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = activity.wait_until_overdue() => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection broke off");
        }
    }
}

/// Waits until the relay shuts down and a quiet connection has had time for one more
/// request. If a request has begun, hyper finishes it and then closes the connection.
pub(super) async fn last_call(draining: &CancellationToken, activity: &Activity) {
    draining.cancelled().await;
    tokio::select! {
        () = activity.in_use() => {}
        () = sleep(LAST_CALL) => {}
    }
}

/// Runs the streams of HTTP/2 as tasks for which the server waits.
#[derive(Debug, Clone)]
pub(super) struct StreamTasks(TaskTracker);

impl<F> hyper::rt::Executor<F> for StreamTasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}
