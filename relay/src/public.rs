//! Passes each request on the public listener to the part that answers it.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::admin::Admin;
use crate::answer::HttpAnswer;
use crate::budget::ByteBudget;
use crate::config::Limits;
use crate::framing;
use crate::host;
use crate::ingest::Ingest;
use crate::manage::Manager;
use crate::methods::{self, Methods};
use crate::peer::{PeerGroup, TrustedProxies};
use crate::rate::KeyedRates;
use crate::refusal::Refusal;
use crate::route::RelayRoute;
use crate::server::Handler;
use crate::session::Sessions;

/// Approximate memory of a header in addition to its name and value, in hyper's map of headers.
const BYTES_BESIDE_HEADER: usize = 128;

/// Header of browsers that are asked to install a service worker.
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// Parts that are reached from outside.
#[derive(Debug)]
pub(crate) struct Public {
    pub(crate) door: FrontDoor,
    pub(crate) ingest: Ingest,
    pub(crate) sessions: Sessions,
    pub(crate) manager: Manager,
    pub(crate) admin: Admin,
}

/// Checks that every request has to pass, whichever part answers it.
#[derive(Debug)]
pub(crate) struct FrontDoor {
    proxies: TrustedProxies,
    methods: Methods,
    /// Memory for the heads of requests in progress.
    heads: Arc<ByteBudget<PeerGroup>>,
    rates: Option<KeyedRates<PeerGroup>>,
}

impl FrontDoor {
    pub(crate) fn new(limits: &Limits, proxies: TrustedProxies, methods: Methods) -> Self {
        Self {
            proxies,
            methods,
            heads: ByteBudget::new(limits.max_head_memory / 2, limits.max_head_bytes),
            rates: limits.max_rate_per_peer.map(KeyedRates::new),
        }
    }

    /// Returns the reason to refuse this request before any part handles it, if there is one.
    fn objection(
        &self,
        request: &Request<Incoming>,
        route: &RelayRoute,
        peer: IpAddr,
    ) -> Result<(), Refusal> {
        if !host::is_named(request) {
            return Err(Refusal::Host);
        }
        if !framing::is_plain(request) {
            return Err(Refusal::TransferCoding);
        }
        methods::check_any(request.method())?;
        if matches!(route, RelayRoute::Live | RelayRoute::Ready) {
            return Ok(());
        }
        if let Some(rates) = &self.rates {
            rates
                .take(peer.into(), Instant::now())
                .map_err(|retry_after| Refusal::PeerRate { retry_after })?;
        }
        if matches!(route, RelayRoute::Ingest { .. }) {
            self.methods.check(request.method())?;
        }
        if request.headers().contains_key(SERVICE_WORKER) {
            return Err(Refusal::ServiceWorker);
        }
        Ok(())
    }
}

impl Handler for Public {
    async fn handle(&self, request: Request<Incoming>, peer: IpAddr) -> Response<HttpAnswer> {
        let peer = self.door.proxies.sender(peer, request.headers());
        let route = RelayRoute::of(request.uri());
        // The share is held until the request is finished.
        let mut head = self.door.heads.share(peer.into());
        let grown = head
            .grow(head_bytes(&request))
            .map_err(|_| Refusal::HeadMemory);
        let objection = grown.and_then(|()| self.door.objection(&request, &route, peer));
        match (route, objection) {
            (route, Err(refusal)) => {
                let key = match route {
                    RelayRoute::Ingest { key, .. } => Some(key),
                    _ => None,
                };
                self.ingest.refuse(refusal, key, request).await
            }
            (RelayRoute::Ingest { key, path }, Ok(())) => {
                self.ingest.accept(key, path, peer, request).await
            }
            (RelayRoute::Connect, Ok(())) => self.sessions.connect(request, peer).await,
            (RelayRoute::Manage(asked), Ok(())) => self.manager.answer(asked, peer, request).await,
            (RelayRoute::Live, Ok(())) => self.admin.live(),
            (RelayRoute::Ready, Ok(())) => self.admin.ready().await,
            (RelayRoute::NotFound, Ok(())) => {
                let refusal = Refusal::UnknownTunnel;
                self.ingest.refuse(refusal, None, request).await
            }
        }
    }
}

/// Returns the memory that a request's head uses.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let of_headers = |headers: &HeaderMap| {
        let bytes = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + BYTES_BESIDE_HEADER);
        bytes.sum::<usize>()
    };
    let target = request.uri().path_and_query();
    of_headers(request.headers()) + target.map_or(0, |target| target.as_str().len())
}
