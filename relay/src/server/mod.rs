//! Listens for connections and serves them.
//!
//! Every connection is accepted at once and gets a place or a refusal. It is opened (PROXY
//! header, TLS), served by hyper under time limits, and drained at shutdown. This module
//! knows nothing of webhooks or agents: the part that answers requests is a parameter.

mod accept;
mod connection;
mod crowd;
mod handler;
mod head;
mod idle;
mod opening;
mod places;
mod proxy_header;
mod room;
mod seldom;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Limits;
use crate::metrics::Metrics;
use crate::peer::{PeerGroup, TrustedProxies};
use crate::tls::Tls;
use accept::Acceptor;
use connection::{Builder, Connection};
use crowd::OverflowAnswers;
pub(crate) use handler::Handler;
use head::Heads;
use idle::Activity;
use opening::{OpeningConnection, ProxyPolicy};
use places::ConnectionPlace;
pub(crate) use places::Places;
use room::Room;
use seldom::Seldom;

/// Number of descriptors that a listener may use in addition to those of connections with a place.
pub(crate) const DESCRIPTORS_BESIDE: usize = places::MAX_CLOSING + crowd::MAX_LINGERING + 2;

/// Settings and limits that listeners share, such as their common maximum of connections.
#[derive(Debug, Clone)]
pub(crate) struct House {
    places: Arc<Places>,
    heads: Arc<Heads>,
    openings: Arc<Room>,
    /// Set if trusted proxies send the PROXY protocol. Limits the warnings about wrong headers.
    proxy_warnings: Option<Arc<Seldom>>,
    /// Proxies, whose connections are not counted by peer.
    proxies: TrustedProxies,
    limits: Limits,
    metrics: Arc<Metrics>,
}

impl House {
    pub(crate) fn new(
        limits: &Limits,
        places: Arc<Places>,
        proxies: TrustedProxies,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            places,
            heads: Heads::new(limits.max_head_memory / 2, limits.max_head_bytes),
            openings: Room::new(opening::MAX_OPENINGS),
            proxy_warnings: None,
            proxies,
            limits: limits.clone(),
            metrics,
        }
    }

    /// Expects the PROXY protocol from trusted proxies.
    pub(crate) fn behind_proxy_protocol(mut self) -> Self {
        self.proxy_warnings = Some(Arc::default());
        self
    }
}

/// A listener and its connections.
#[derive(Debug)]
pub(crate) struct Server<H> {
    acceptor: Acceptor,
    handler: Arc<H>,
    house: House,
    /// `None` for HTTP without TLS.
    tls: Option<Tls>,
}

impl<H: Handler> Server<H> {
    pub(crate) fn new(
        (listener, address): (TcpListener, SocketAddr),
        handler: Arc<H>,
        house: House,
        tls: Option<Tls>,
    ) -> Self {
        Self {
            acceptor: Acceptor::new(listener, address),
            handler,
            house,
            tls,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Serves connections until `draining` is cancelled. Then finishes the requests that were
    /// accepted and returns within `patience`.
    pub(crate) async fn run(mut self, draining: CancellationToken, patience: Duration) {
        let connections = TaskTracker::new();
        let builder = Arc::new(connection::builder(
            &connections,
            self.house.limits.max_head_bytes,
        ));
        let metrics = Arc::clone(&self.house.metrics);
        let crowd = OverflowAnswers::new(connections.clone(), self.tls.is_some(), metrics);
        // Both arms are cancel-safe: a connection that is not returned was not accepted.
        while let Some((stream, peer)) = tokio::select! {
            accepted = self.accept(&crowd) => Some(accepted),
            () = draining.cancelled() => None,
        } {
            let peer = peer.ip().to_canonical();
            let group = (!self.house.proxies.contain(peer)).then(|| PeerGroup::from(peer));
            let place = match self.house.places.take(group) {
                Ok(place) => place,
                Err(why) => {
                    crowd.refuse(stream, why.name());
                    continue;
                }
            };
            let opening = self.opening(place, peer, &builder);
            let (open, draining) = (self.house.metrics.connections.clone(), draining.clone());
            connections.spawn(async move {
                open.inc();
                opening.serve(stream, draining).await;
                open.dec();
            });
        }
        let address = self.address();
        drop(self.acceptor);
        connections.close();
        if timeout_at(Instant::now() + patience, connections.wait())
            .await
            .is_err()
        {
            let left = connections.len();
            tracing::warn!(%address, left, "connections did not end in time");
        }
    }

    fn opening(
        &self,
        place: ConnectionPlace,
        peer: IpAddr,
        builder: &Arc<Builder>,
    ) -> OpeningConnection<H> {
        let House {
            heads,
            openings,
            proxy_warnings,
            proxies,
            limits,
            metrics,
            ..
        } = &self.house;
        OpeningConnection {
            connection: Connection {
                handler: Arc::clone(&self.handler),
                builder: Arc::clone(builder),
                activity: Activity::new(place, limits.head_timeout, limits.idle_timeout),
                peer,
                heads: Arc::clone(heads),
                metrics: Arc::clone(metrics),
            },
            tls: self.tls.clone(),
            proxy: proxy_warnings.as_ref().map(|warnings| ProxyPolicy {
                trusted: proxies.clone(),
                warnings: Arc::clone(warnings),
            }),
            room: Arc::clone(openings),
        }
    }

    async fn accept(&mut self, crowd: &OverflowAnswers) -> (TcpStream, SocketAddr) {
        self.house.places.settle().await;
        self.acceptor.accept(&self.house.places, crowd).await
    }
}
