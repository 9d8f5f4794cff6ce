//! Reports whether the relay runs, whether it accepts webhooks, and its metrics.
//!
//! The first two are served on both listeners, the metrics on the admin listener only.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answer::{HttpAnswer, full, text};
use crate::metrics::Metrics;
use crate::queue::{AppendError, Queue};
use crate::server::Handler;
use crate::tls::days_left;

/// Value of the header `Server`.
pub(crate) const SERVER: &str = concat!("podtap/", env!("CARGO_PKG_VERSION"));

/// Header that distinguishes a relay from any other server that answers 200, even behind
/// proxies that replace `Server`.
const RELAY: HeaderName = HeaderName::from_static(podtap_wire::manage::RELAY_HEADER);

/// Maximum time for the storage to report whether it would accept a webhook. A load
/// balancer asks every few seconds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers requests about the relay itself.
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

    /// Returns the answer that the process runs. If the relay has its own certificate, the answer
    /// contains when it expires. An expired one does not change the status: the relay still runs.
    pub(crate) fn live(&self) -> Response<HttpAnswer> {
        let mut words = "alive".to_owned();
        if let Some(end) = self.metrics.certificate_end() {
            words.push('\n');
            words.push_str(&certificate_words(end, Timestamp::now()));
        }
        of_the_relay(StatusCode::OK, &words)
    }

    /// Returns whether the relay can accept a webhook now.
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

fn certificate_words(end: Timestamp, now: Timestamp) -> String {
    if end <= now {
        return format!("the certificate expired at {end}");
    }
    format!(
        "certificate valid until {end}, days left: {}",
        days_left(end, now)
    )
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
            "/-/healthz" => self.live(),
            "/-/readyz" => self.ready().await,
            "/metrics" => self.metrics().await,
            _ => text(
                StatusCode::NOT_FOUND,
                "try /metrics, /-/healthz or /-/readyz",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_named_with_its_end_and_the_days_that_are_left() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        for (end, words) in [
            ("2027-02-24T12:00:00Z", "days left: 90"),
            ("2026-11-27T11:59:59Z", "days left: 0"),
            ("2026-11-26T12:00:00Z", "expired at 2026-11-26T12:00:00Z"),
        ] {
            let told = certificate_words(end.parse().unwrap(), now);
            assert!(told.contains(words) && told.contains(end), "{told}");
        }
    }
}
