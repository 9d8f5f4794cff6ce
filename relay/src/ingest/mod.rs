//! Accepts one webhook: key → limits → body → queue → answer.
//!
//! `server` calls this for each request whose path begins with a key. The 200 is sent only
//! after the queue's append has returned (invariants 1 and 4). A request that is held for
//! the local service gets the local service's answer instead, and is not stored (`held`).

mod body;
mod local;
mod pace;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use http::{Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use podtap_wire::{
    EventId, HeaderList, HeldFrame, Respond, TunnelKey, WebhookRequest, WebhookResponse,
};
use tokio::time::{Instant, timeout};

use crate::answer::{HttpAnswer, text};
use crate::config::Limits;
use crate::held::{HeldOutcome, HeldPlace, HeldRequests, HoldOutcome};
use crate::methods::Methods;
use crate::metrics::Metrics;
use crate::queue::{AppendError, Queue, QueueError};
use crate::refusal::Refusal;
use crate::session::presence::Presence;
use crate::spelling;
use crate::tunnel::directory::{Directory, Tunnel};
use pace::TunnelRates;

/// Accepts or refuses webhooks.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) held: Arc<HeldRequests>,
    pub(crate) metrics: Arc<Metrics>,
    /// Methods that the answer to another method lists as allowed.
    pub(crate) methods: Methods,
    pub(crate) bounds: Bounds,
}

/// Limits for the size, the rate and the time of webhooks.
#[derive(Debug)]
pub(crate) struct Bounds {
    bodies: body::BodyReader,
    /// `None` for no limit.
    pace: Option<TunnelRates>,
    store_timeout: Duration,
    respond_timeout: Duration,
}

impl Bounds {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            bodies: body::BodyReader::new(limits),
            pace: limits.max_rate.map(TunnelRates::new),
            store_timeout: limits.store_timeout,
            respond_timeout: limits.respond_timeout,
        }
    }
}

impl Ingest {
    /// Returns the answer to one webhook.
    pub(crate) async fn accept(
        &self,
        key: TunnelKey,
        path: String,
        peer: IpAddr,
        mut request: Request<Incoming>,
    ) -> Response<HttpAnswer> {
        match self.store(key, path, peer, &mut request).await {
            Ok(answer) => answer,
            Err(refusal) => self.refuse(refusal, Some(key), request).await,
        }
    }

    /// Refuses a request. The answer is the same for every URL without a tunnel (invariant 6).
    /// The owner of the key is informed.
    pub(crate) async fn refuse(
        &self,
        refusal: Refusal,
        key: Option<TunnelKey>,
        request: Request<Incoming>,
    ) -> Response<HttpAnswer> {
        self.metrics.count_refused(refusal);
        tracing::debug!(reason = refusal.name(), "a webhook was refused");
        if let Some(key) = key {
            self.directory.note_refused(&key, refusal);
        }
        let patience = patience(refusal, &request);
        if !patience.is_zero() {
            // `discard` consumes the request, so only the body stays in memory meanwhile.
            body::discard(request.into_body(), patience).await;
        }
        let mut answer = refusal.answer();
        if refusal == Refusal::Method {
            let allow = self.methods.allow();
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
    ) -> Result<Response<HttpAnswer>, Refusal> {
        let tunnel = self.directory.find(&key).await;
        let tunnel = tunnel.ok_or(Refusal::UnknownTunnel)?;
        if let Some(pace) = &self.bounds.pace {
            pace.admit(tunnel.id, peer.into(), Instant::now())?;
        }
        let body = self
            .bounds
            .bodies
            .read(tunnel.id, request.body_mut())
            .await?;
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
        // The webhook already contains the headers.
        request.headers_mut().clear();
        let frame = Arc::new(HeldFrame {
            id,
            request: webhook,
        });
        let answer = match self.held.hold(tunnel.id, frame) {
            HoldOutcome::Held(place) => {
                if let Some(answer) = self.pass_through(&tunnel, place).await? {
                    self.metrics.events_passed.inc();
                    return Ok(local::answer(answer, request.method()));
                }
                None
            }
            HoldOutcome::NoRoom(frame) => {
                self.append(&tunnel, frame).await?;
                None
            }
            HoldOutcome::NoDoor(frame) => self.store_and_wait(&tunnel, frame).await?,
        };
        self.metrics.events_accepted.inc();
        self.metrics.bytes_accepted.inc_by(length);
        let answer = answer.map(|answer| local::answer(answer, request.method()));
        Ok(answer.unwrap_or_else(|| text(StatusCode::OK, "stored")))
    }

    /// Waits for the local service's answer. Returns `None` if the relay has to answer by
    /// itself; the event is stored then.
    async fn pass_through(
        &self,
        tunnel: &Tunnel,
        place: HeldPlace,
    ) -> Result<Option<WebhookResponse>, Refusal> {
        let outcome = place.outcome(self.bounds.respond_timeout).await;
        let (frame, mut turn) = match outcome.ok_or(Refusal::Unavailable)? {
            HeldOutcome::Answered(answer) => return Ok(Some(answer)),
            HeldOutcome::Store { frame, turn } => (frame, turn),
        };
        let mut append = pin!(self.append(tunnel, frame));
        // The first poll hands the event to the queue, so the next request may follow.
        let begun = poll!(&mut append);
        turn.is_over();
        match begun {
            Poll::Ready(stored) => stored?,
            Poll::Pending => append.await?,
        }
        Ok(None)
    }

    /// Stores an event, and waits for the local service's answer if the agent sends answers to
    /// stored events.
    async fn store_and_wait(
        &self,
        tunnel: &Tunnel,
        frame: Arc<HeldFrame>,
    ) -> Result<Option<WebhookResponse>, Refusal> {
        if self.presence.respond(tunnel.id) != Some(Respond::Local) {
            self.append(tunnel, frame).await?;
            return Ok(None);
        }
        let mut waiting = self.held.stored.wait(frame.id);
        if self.presence.is_elsewhere(tunnel.id) {
            waiting.expect().await?;
        }
        self.append(tunnel, frame).await?;
        let answer = timeout(self.bounds.respond_timeout, &mut waiting.answer).await;
        Ok(answer.ok().and_then(Result::ok))
    }

    async fn append(&self, tunnel: &Tunnel, frame: Arc<HeldFrame>) -> Result<(), Refusal> {
        let HeldFrame { id, request } = Arc::unwrap_or_clone(frame);
        let append = self.queue.append(tunnel.id, id, request);
        match timeout(self.bounds.store_timeout, append).await {
            Ok(stored) => stored.map(drop).map_err(Refusal::from),
            Err(_) => Err(Refusal::Unavailable),
        }
    }
}

/// Returns every header as it was sent. HTTP/2 has the host in the target, which becomes a header.
fn headers(request: &Request<Incoming>) -> HeaderList {
    let mut headers = spelling::headers(request.headers(), request.extensions().get());
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(header::HOST)
    {
        headers.push("host", authority.as_str().to_owned());
    }
    headers
}

/// Returns how long a refused sender may continue to send its body. It is zero if the
/// sender can be cut off without losing the answer: it waits for permission to send the
/// body, or sends it on a separate stream.
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
            AppendError::AllFull => Self::AllQueuesFull,
            AppendError::NoSpace => Self::NoSpace,
            AppendError::UnknownTunnel => Self::UnknownTunnel,
            AppendError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::UnknownTunnel => Self::UnknownTunnel,
            QueueError::Unavailable => Self::Unavailable,
        }
    }
}

fn to_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
