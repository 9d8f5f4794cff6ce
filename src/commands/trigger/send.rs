//! Sends one request and waits for the response. Does not depend on events.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use podtap_agent::amount;
use podtap_agent::connection::ServiceConnector;
use podtap_agent::history::AttemptSummary;
use podtap_connect::client::{PoolLimits, client};
use podtap_connect::reason::words;
use podtap_connect::{HttpClient, Trust};
use podtap_wire::WebhookRequest;
use tokio::time::Instant;

use crate::failure::Failure;

/// Requests are sent one after the other, or a few in parallel;
/// a connection is reused if the service keeps it open.
const CONNECTIONS: PoolLimits = PoolLimits {
    idle_limit: Duration::from_secs(4),
    per_host: 16,
};

/// Sends requests to one URL.
pub(super) struct Sender {
    client: HttpClient<ServiceConnector>,
    url: String,
    /// Maximum time for one request, from connecting to the end of the response.
    timeout: Duration,
}

impl Sender {
    pub(super) fn new(url: String, trust: &Trust, timeout: Duration) -> Result<Self, Failure> {
        let connector = ServiceConnector::with_tls(trust, url.starts_with("https:"));
        let (_, connector) = connector.map_err(|error| {
            Failure::because("TLS cannot be set up", &error)
                .hint("install the system's certificates (`apt install ca-certificates`)")
        })?;
        let client = client(connector, CONNECTIONS);
        Ok(Self {
            client,
            url,
            timeout,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends the request; no response is an outcome too.
    pub(super) async fn send(&self, request: &WebhookRequest) -> Result<AttemptSummary, Failure> {
        let request = self.build(request)?;
        let started = Instant::now();
        let outcome = tokio::time::timeout(self.timeout, self.exchange(request)).await;
        let late = |_| Err(format!("no answer within {}", amount::limit(self.timeout)));
        Ok(AttemptSummary {
            outcome: outcome.unwrap_or_else(late),
            duration: started.elapsed(),
            replay: false,
        })
    }

    fn build(&self, request: &WebhookRequest) -> Result<Request<Full<Bytes>>, Failure> {
        let mut builder = Request::builder()
            .method(request.method.as_str())
            .uri(&self.url);
        for (name, value) in request.headers.iter() {
            builder = builder.header(name, &value[..]);
        }
        builder
            .body(Full::from(request.body.clone()))
            .map_err(|error| {
                Failure::usage(format!("the request is not valid: {error}"))
                    .fact("url", self.url.clone())
            })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<u16, String> {
        let answer = self.client.request(request).await;
        let mut answer = answer.map_err(|error| words(&error))?;
        while let Some(frame) = answer.body_mut().frame().await {
            frame.map_err(|error| words(&error))?;
        }
        Ok(answer.status().as_u16())
    }
}
