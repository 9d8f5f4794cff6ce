//! Makes one HTTP exchange with the API and applies the limits of
//! time, size and rate. Does not depend on operations or tokens.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use podtap_connect::HttpClient;
use podtap_connect::client::ClientSettings;
use podtap_connect::tls::TlsUnavailable;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::config::PodioClientConfig;
use super::error::Error;
use super::limit::{CallBudget, RateLimit, retry_after};
use super::rate::SharedRateLimit;

/// Maximum number of idle connections: as many as the UI and the agent use in parallel.
const IDLE_CONNECTIONS: usize = 4;

/// A request that is ready to be sent.
pub(super) struct OutgoingRequest {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) content_type: Option<&'static str>,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Bytes,
}

impl OutgoingRequest {
    pub(super) fn operation(&self) -> String {
        operation(&self.method, &self.path)
    }
}

/// Returns the method and path for error messages, without the query.
pub(super) fn operation(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    format!("{method} {path}")
}

pub(super) struct Transport {
    http: HttpClient,
    config: Arc<PodioClientConfig>,
    rate: SharedRateLimit,
}

impl Transport {
    pub(super) fn new(
        config: Arc<PodioClientConfig>,
        rate: SharedRateLimit,
    ) -> Result<Self, TlsUnavailable> {
        let http = ClientSettings {
            is_encrypted: config.base_url.is_encrypted(),
            proxy: config.proxy.clone(),
            connect_timeout: config.connect_timeout,
            idle_connections: IDLE_CONNECTIONS,
        }
        .client()?;
        Ok(Self { http, config, rate })
    }

    pub(super) fn rate_limit(&self) -> watch::Receiver<Option<RateLimit>> {
        self.rate.subscribe()
    }

    pub(super) async fn budget(&self) -> Option<CallBudget> {
        self.rate.budget().await
    }

    /// Sends the request and returns the body of a 2xx response. Waits for the
    /// end of a rate limit if Podio reports it and the sum of the waits is at
    /// most the configured maximum. While a longer limit lasts, nothing is sent.
    pub(super) async fn exchange(&self, outgoing: &OutgoingRequest) -> Result<Bytes, Error> {
        let mut wait_left = self.config.max_rate_wait;
        loop {
            let answer = match self.rate.closed_for().await {
                Some(wait) => Err(Error::RateLimited {
                    operation: outgoing.operation(),
                    retry_after: Some(wait),
                }),
                None => self.exchange_once(outgoing).await,
            };
            match answer {
                Err(Error::RateLimited {
                    retry_after: Some(wait),
                    ..
                }) if wait <= wait_left => {
                    // Each wait counts as at least a second, so that "wait 0 seconds" ends too.
                    wait_left = wait_left.saturating_sub(wait.max(Duration::from_secs(1)));
                    sleep(wait).await;
                }
                ended => return ended,
            }
        }
    }

    async fn exchange_once(&self, outgoing: &OutgoingRequest) -> Result<Bytes, Error> {
        let after = self.config.timeout;
        let answer = timeout(after, self.send(outgoing))
            .await
            .map_err(|_| Error::Timeout {
                operation: outgoing.operation(),
                after,
            })??;
        let (head, body) = answer.into_parts();
        let is_limited = matches!(head.status.as_u16(), 420 | 429);
        let wait = retry_after(&head.headers, &body, Timestamp::now()).filter(|_| is_limited);
        let limit = RateLimit::from_headers(&head.headers);
        self.rate.record_answer(limit, wait).await;
        if head.status.is_success() {
            return Ok(body);
        }
        let operation = outgoing.operation();
        Err(Error::from_answer(operation, head.status, &body, wait))
    }

    async fn send(&self, outgoing: &OutgoingRequest) -> Result<Response<Bytes>, Error> {
        let broken = |source| Error::Transport {
            operation: outgoing.operation(),
            source,
        };
        let request = self.request(outgoing).map_err(|e| broken(e.into()))?;
        let answer = self.http.request(request).await;
        let (head, body) = answer.map_err(|e| broken(e.into()))?.into_parts();
        let body = self.collect(body).await.map_err(|source| {
            if source.is::<LengthLimitError>() {
                Error::TooLarge {
                    operation: outgoing.operation(),
                    limit: self.config.max_response_bytes,
                }
            } else {
                broken(source)
            }
        })?;
        Ok(Response::from_parts(head, body))
    }

    fn request(&self, outgoing: &OutgoingRequest) -> http::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&outgoing.method)
            .uri(format!("{}{}", self.config.base_url, outgoing.path))
            .header(
                header::USER_AGENT,
                concat!("podtap/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::ACCEPT, "application/json");
        if let Some(content_type) = outgoing.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(authorization) = &outgoing.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.body(Full::new(outgoing.body.clone()))
    }

    async fn collect(
        &self,
        body: Incoming,
    ) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let body = Limited::new(body, self.config.max_response_bytes);
        Ok(body.collect().await?.to_bytes())
    }
}
