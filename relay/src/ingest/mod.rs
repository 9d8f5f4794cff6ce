//! One webhook: key → limits → body → queue → answer.
//!
//! Called by `server` for each request below a key. The 200 is written after the queue's append
//! has resolved, and nowhere else (invariants 1 and 4).

mod body;
mod local;
mod pace;
mod respond;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Respond, TunnelKey, WebhookRequest};
use tokio::time::{Instant, timeout};

use crate::answer::{Answer, text};
use crate::core::Core;
use crate::queue::AppendError;
use crate::refusal::Refusal;
use crate::spelling;
use crate::tunnel::directory::Tunnel;
use pace::Pace;

pub(crate) use respond::Responders;

/// Accepts webhooks.
#[derive(Debug)]
pub(crate) struct Ingest {
    core: Arc<Core>,
    bodies: body::Reader,
    /// `None` for any.
    pace: Option<Pace>,
}

impl Ingest {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            bodies: body::Reader::new(&core.limits),
            pace: core.limits.max_rate.map(Pace::new),
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
            Err(refusal) => self.refuse(refusal, Some(key), request).await,
        }
    }

    /// The answer to a request that is not taken: the same for every URL that is nobody's
    /// (invariant 6). The owner of the key hears of it.
    pub(crate) async fn refuse(
        &self,
        refusal: Refusal,
        key: Option<TunnelKey>,
        request: Request<Incoming>,
    ) -> Response<Answer> {
        self.core.metrics.refused(refusal);
        tracing::debug!(reason = refusal.name(), "a webhook was refused");
        if let Some(tunnel) = key.and_then(|key| self.core.directory.lookup(&key)) {
            tunnel.refused.note(refusal, Timestamp::now());
        }
        let patience = patience(refusal, &request);
        if !patience.is_zero() {
            // Nothing but the body is kept meanwhile.
            body::discard(request.into_body(), patience).await;
        }
        let mut answer = refusal.answer();
        if refusal == Refusal::Method {
            let allow = self.core.methods.allow();
            answer.headers_mut().insert(header::ALLOW, allow);
        }
        answer
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
        if let Some(pace) = &self.pace {
            pace.admit(tunnel.id, peer.into(), Instant::now())?;
        }
        let body = self.bodies.read(tunnel.id, request.body_mut()).await?;
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
        // It is in the webhook now.
        request.headers_mut().clear();
        let answer = match self.core.presence.respond(tunnel.id) {
            Some(Respond::Local) => {
                let mut waiting = self.core.responders.wait(id);
                self.append(&tunnel, id, webhook).await?;
                let answer = timeout(self.core.limits.respond_timeout, &mut waiting.answer).await;
                answer
                    .ok()
                    .and_then(Result::ok)
                    .map(|answer| local::answer(answer, request.method()))
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

/// Every header as it was sent; HTTP/2 carries the host in the target instead.
fn headers(request: &Request<Incoming>) -> HeaderList {
    let mut headers = spelling::headers(request.headers(), request.extensions().get());
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(header::HOST)
    {
        headers.push("host", authority.as_str().to_owned());
    }
    headers
}

/// How long a refused sender may go on: not at all where nothing is lost by cutting it off, as it
/// waits to be asked for the body, or sends it on a stream of its own.
fn patience(refusal: Refusal, request: &Request<Incoming>) -> Duration {
    let waits = request.headers().contains_key(header::EXPECT);
    if waits || request.version() == Version::HTTP_2 {
        Duration::ZERO
    } else {
        refusal.patience()
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full => Self::QueueFull,
            AppendError::OwnerFull => Self::OwnerQueueFull,
            AppendError::ShareOfDisk => Self::ShareOfDisk,
            AppendError::NoSpace => Self::NoSpace,
            AppendError::UnknownTunnel => Self::UnknownTunnel,
            AppendError::Unavailable => Self::Unavailable,
        }
    }
}

fn to_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
