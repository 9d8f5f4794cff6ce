//! One POST of a webhook.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use tokio::time::{Instant, timeout};

use super::compose::Post;
use crate::connector::{self, HttpClient, Settings, Trust};
use crate::sandbox::config::Delivery;
use crate::sandbox::observe::Outcome;

/// Makes the POSTs; cheap to clone.
#[derive(Clone)]
pub(super) struct Postman {
    http: Option<HttpClient>,
    limit: Duration,
}

impl Postman {
    /// Every POST gets its own connection, as a sender without state would; whether Podio keeps
    /// connections is unknown. On a machine without certificates only plain receivers are reached.
    pub(super) fn new(delivery: &Delivery) -> Self {
        let settings = |trust| Settings {
            trust,
            connect_timeout: delivery.timeout,
            idle_connections: 0,
        };
        let http = connector::client(settings(Trust::Platform))
            .or_else(|_| connector::client(settings(Trust::Nobody)));
        Self {
            http: http.ok(),
            limit: delivery.timeout,
        }
    }

    /// How the receiver answered, and after how long. The answer's body is of no interest, and
    /// redirects are not followed (inferred).
    pub(super) async fn send(&self, post: &Post) -> (Outcome, Duration) {
        let began = Instant::now();
        let outcome = match timeout(self.limit, self.exchange(post)).await {
            Ok(Ok(status)) => Outcome::Answered(status),
            Ok(Err(reason)) => Outcome::Unreachable(reason),
            Err(_) => Outcome::TimedOut,
        };
        (outcome, began.elapsed())
    }

    async fn exchange(&self, post: &Post) -> Result<u16, String> {
        let http = self.http.as_ref().ok_or("TLS is not available")?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&post.url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "*/*")
            // Podio's own is unknown: receivers must not rely on it.
            .header(header::USER_AGENT, "podtap-sandbox")
            .body(Full::new(Bytes::from(post.body.clone())))
            .map_err(|error| error.to_string())?;
        let answer = http.request(request).await;
        Ok(answer.map_err(|error| innermost(&error))?.status().as_u16())
    }
}

/// Of the nested errors of a connection the innermost says what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
