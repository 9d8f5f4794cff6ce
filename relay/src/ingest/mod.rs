//! One webhook: key → limits → body → queue → answer.
//!
//! Called by `server` for each request below a key. The 200 is written after the queue's append
//! has resolved, and nowhere else (invariants 1 and 4).

mod body;
mod limits;
mod refusal;
mod respond;

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Respond, TunnelKey, WebhookRequest, WebhookResponse};
use tokio::time::{Instant, timeout};

use crate::core::Core;
use crate::server::{Answer, full, text};
use crate::tunnel::directory::Tunnel;

pub(crate) use limits::Bucket;
pub(crate) use refusal::Refusal;
pub(crate) use respond::Responders;

/// Accepts webhooks.
#[derive(Debug)]
pub(crate) struct Ingest {
    core: Arc<Core>,
    bodies: body::Reader,
}

impl Ingest {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            bodies: body::Reader::new(&core.limits),
            core,
        }
    }

    /// The answer to one webhook.
    pub(crate) async fn accept(
        &self,
        key: TunnelKey,
        path: String,
        peer: IpAddr,
        mut request: Request<Incoming>,
    ) -> Response<Answer> {
        match self.store(key, path, peer, &mut request).await {
            Ok(answer) => answer,
            Err(refusal) => self.refuse(refusal, request).await,
        }
    }

    /// The answer to a request for a URL that is nobody's: the same for every such URL
    /// (invariant 6).
    pub(crate) async fn refuse(
        &self,
        refusal: Refusal,
        mut request: Request<Incoming>,
    ) -> Response<Answer> {
        self.core.metrics.refused(refusal);
        tracing::debug!(reason = refusal.name(), "a webhook was refused");
        let (head, body) = (request.headers().clone(), request.body_mut());
        body::discard(&head, body).await;
        refusal.answer()
    }

    async fn store(
        &self,
        key: TunnelKey,
        path: String,
        peer: IpAddr,
        request: &mut Request<Incoming>,
    ) -> Result<Response<Answer>, Refusal> {
        let tunnel = self
            .core
            .directory
            .lookup(&key)
            .ok_or(Refusal::UnknownTunnel)?;
        tunnel
            .admit(Instant::now())
            .map_err(|retry_after| Refusal::Rate { retry_after })?;
        let body = self.bodies.read(request.body_mut()).await?;
        let received_at = to_milliseconds(Timestamp::now());
        let id = EventId::generate(received_at).map_err(|error| {
            tracing::error!(%error, "an event's id cannot be made");
            Refusal::Unavailable
        })?;
        let length = body.bytes.len() as u64;
        let webhook = WebhookRequest {
            received_at,
            method: request.method().as_str().to_owned(),
            path,
            headers: headers(request),
            peer: Some(peer),
            body: body.bytes.clone(),
        };
        let answer = match self.core.presence.respond(tunnel.id) {
            Some(Respond::Local) => {
                let mut waiting = self.core.responders.wait(id);
                self.append(&tunnel, id, webhook).await?;
                let answer = timeout(self.core.limits.respond_timeout, &mut waiting.answer).await;
                answer
                    .ok()
                    .and_then(Result::ok)
                    .map(|answer| from_local(answer, request.method()))
            }
            Some(Respond::Stored) | None => {
                self.append(&tunnel, id, webhook).await?;
                None
            }
        };
        self.core.metrics.events_accepted.inc();
        self.core.metrics.bytes_accepted.inc_by(length);
        Ok(answer.unwrap_or_else(|| text(StatusCode::OK, "stored")))
    }

    async fn append(
        &self,
        tunnel: &Tunnel,
        id: EventId,
        webhook: WebhookRequest,
    ) -> Result<(), Refusal> {
        let append = self.core.queue.append(tunnel.id, id, webhook);
        match timeout(self.core.limits.store_timeout, append).await {
            Ok(stored) => stored.map(drop).map_err(Refusal::from),
            Err(_) => Err(Refusal::Unavailable),
        }
    }
}

/// Every header in order; HTTP/2 carries the host in the target instead.
fn headers(request: &Request<Incoming>) -> HeaderList {
    let mut headers = HeaderList::from(request.headers());
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(header::HOST)
    {
        headers.push("host", authority.as_str().to_owned());
    }
    headers
}

/// The local service's answer as the relay's own.
fn from_local(response: WebhookResponse, method: &Method) -> Response<Answer> {
    // RFC 9110 §7.6.1, and the length, which is hyper's to say.
    const OURS: [&str; 8] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ];
    let body = if method == Method::HEAD {
        bytes::Bytes::new()
    } else {
        response.body
    };
    let mut answer = Response::new(full(body));
    *answer.status_mut() = match StatusCode::from_u16(response.status) {
        // An answer of the 1xx class cannot be the last one.
        Ok(status) if !status.is_informational() => status,
        _ => StatusCode::BAD_GATEWAY,
    };
    for (name, value) in response.headers.iter() {
        if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

fn to_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
