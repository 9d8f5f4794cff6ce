//! Sends one webhook as a POST.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use podtap_connect::client::ClientSettings;
use podtap_connect::{HttpClient, reason};
use tokio::time::{Instant, timeout};

use super::compose::Post;
use crate::config::WebhookSending;
use crate::observe::SendOutcome;

/// Sends POSTs; cheap to clone. Every POST has its own connection; whether Podio reuses
/// connections is unknown.
#[derive(Clone)]
pub(super) struct Postman {
    limit: Duration,
    plain: Option<HttpClient>,
    /// Client for TLS, created for the first receiver that needs it, because loading
    /// certificates takes a while.
    encrypted: Arc<OnceLock<Option<HttpClient>>>,
}

impl Postman {
    pub(super) fn new(delivery: &WebhookSending) -> Self {
        Self {
            limit: delivery.timeout,
            plain: client(false, delivery.timeout),
            encrypted: Arc::default(),
        }
    }

    /// Sends a POST. Returns how the receiver answered, and after what time. The answer's body
    /// is ignored, and redirects are not followed (inferred).
    pub(super) async fn send(&self, post: &Post) -> (SendOutcome, Duration) {
        let began = Instant::now();
        let outcome = match timeout(self.limit, self.exchange(post)).await {
            Ok(Ok(status)) => SendOutcome::Answered(status),
            Ok(Err(reason)) => SendOutcome::Unreachable(reason),
            Err(_) => SendOutcome::TimedOut,
        };
        (outcome, began.elapsed())
    }

    async fn exchange(&self, post: &Post) -> Result<u16, String> {
        let http = if post.url.starts_with("https:") {
            let encrypted = || client(true, self.limit);
            self.encrypted.get_or_init(encrypted)
        } else {
            &self.plain
        };
        let http = http
            .as_ref()
            .ok_or("this machine has no certificates to trust")?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&post.url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "*/*")
            // Podio's own user agent is unknown, so receivers must not rely on it.
            .header(header::USER_AGENT, "podtap-sandbox")
            .body(Full::new(Bytes::from(post.body.clone())))
            .map_err(|error| error.to_string())?;
        let answer = http.request(request).await;
        Ok(answer
            .map_err(|error| reason::words(&error))?
            .status()
            .as_u16())
    }
}

fn client(is_encrypted: bool, connect_timeout: Duration) -> Option<HttpClient> {
    ClientSettings {
        is_encrypted,
        proxy: None,
        connect_timeout,
        idle_connections: 0,
    }
    .client()
    .ok()
}
