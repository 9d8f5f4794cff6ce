//! Whether the relay lives, whether it takes webhooks, and its numbers.
//!
//! The first two are answered on both listeners, the numbers on the admin listener alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answer::{HttpAnswer, full, text};
use crate::metrics::Metrics;
use crate::queue::{AppendError, Queue};
use crate::server::Handler;

/// What the relay calls itself.
pub(crate) const SERVER: &str = concat!("podtap/", env!("CARGO_PKG_VERSION"));

/// Tells a relay from any other server that answers 200, through proxies that replace `Server`.
const RELAY: HeaderName = HeaderName::from_static(podtap_wire::manage::RELAY_HEADER);

/// How long the storage may take to say whether it would accept a webhook: a load balancer asks
/// every few seconds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers questions about the relay itself.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    queue: Arc<dyn Queue>,
    metrics: Arc<Metrics>,
    draining: CancellationToken,
}

impl Admin {
    pub(crate) fn new(
        queue: &Arc<dyn Queue>,
        metrics: &Arc<Metrics>,
        draining: &CancellationToken,
    ) -> Self {
        Self {
            queue: Arc::clone(queue),
            metrics: Arc::clone(metrics),
            draining: draining.clone(),
        }
    }

    /// The process runs.
    pub(crate) fn live() -> Response<HttpAnswer> {
        of_the_relay(StatusCode::OK, "alive")
    }

    /// A webhook sent now has a chance.
    pub(crate) async fn ready(&self) -> Response<HttpAnswer> {
        let not_ready = |words| of_the_relay(StatusCode::SERVICE_UNAVAILABLE, words);
        if self.draining.is_cancelled() {
            return not_ready("shutting down");
        }
        match timeout(PROBE_TIMEOUT, self.queue.probe()).await {
            Ok(Ok(())) => of_the_relay(StatusCode::OK, "ready"),
            Ok(Err(AppendError::NoSpace)) => not_ready("the disk is nearly full"),
            Ok(Err(_)) => not_ready("the storage does not work"),
            Err(_) => not_ready("the storage does not answer"),
        }
    }

    async fn metrics(&self) -> Response<HttpAnswer> {
        const FORMAT: HeaderValue =
            HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        let waiting = self.queue.totals().await.unwrap_or_default();
        self.metrics.waiting(waiting.events, waiting.bytes);
        match self.metrics.encode() {
            Ok(numbers) => {
                let mut answer = Response::new(full(numbers.into()));
                answer.headers_mut().insert(header::CONTENT_TYPE, FORMAT);
                answer
            }
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the metrics cannot be written",
            ),
        }
    }
}

fn of_the_relay(status: StatusCode, words: &str) -> Response<HttpAnswer> {
    let mut answer = text(status, words);
    let version = HeaderValue::from_static(SERVER);
    answer.headers_mut().insert(RELAY, version);
    answer
}

impl Handler for Admin {
    async fn handle(&self, request: Request<Incoming>, _: IpAddr) -> Response<HttpAnswer> {
        match request.uri().path() {
            "/-/healthz" => Self::live(),
            "/-/readyz" => self.ready().await,
            "/metrics" => self.metrics().await,
            _ => text(
                StatusCode::NOT_FOUND,
                "try /metrics, /-/healthz or /-/readyz",
            ),
        }
    }
}
