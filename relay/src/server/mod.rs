//! Listening: every connection accepted at once, served by hyper under time limits in a place of
//! its own or told that there is none, drained at the end.
//!
//! Knows nothing of webhooks or agents; whoever handles requests is a parameter.

mod accept;
mod connection;
mod crowd;
mod handler;
mod head;
mod idle;
mod places;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Limits;
use crate::metrics::Metrics;
use crate::peer::{PeerGroup, TrustedProxies};
use accept::Acceptor;
use connection::Connection;
use crowd::Crowd;
pub(crate) use handler::Handler;
use head::Heads;
use idle::Activity;
pub(crate) use places::Places;

/// Descriptors that a listener may use beside those of its connections with a place.
pub(crate) const DESCRIPTORS_BESIDE: usize = places::MAX_CLOSING + crowd::MAX_LINGERING + 2;

/// A listener and its connections.
#[derive(Debug)]
pub(crate) struct Server<H> {
    acceptor: Acceptor,
    handler: Arc<H>,
    places: Arc<Places>,
    /// Whose connections are not counted by peer.
    proxies: TrustedProxies,
    limits: Limits,
    metrics: Arc<Metrics>,
}

impl<H: Handler> Server<H> {
    pub(crate) fn new(
        (listener, address): (TcpListener, SocketAddr),
        handler: H,
        places: Arc<Places>,
        proxies: TrustedProxies,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            acceptor: Acceptor::new(listener, address),
            handler: Arc::new(handler),
            places,
            proxies,
            limits,
            metrics,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Serves until told to drain; then answers what was accepted and ends within `patience`.
    pub(crate) async fn run(mut self, draining: CancellationToken, patience: Duration) {
        let connections = TaskTracker::new();
        let builder = Arc::new(connection::builder(
            &connections,
            self.limits.max_head_bytes,
        ));
        let heads = Heads::new(self.limits.max_head_memory / 2, self.limits.max_head_bytes);
        let crowd = Crowd::new(connections.clone(), Arc::clone(&self.metrics));
        // Both arms are cancel-safe: a connection not returned was not taken.
        while let Some((stream, peer)) = tokio::select! {
            accepted = self.accept(&crowd) => Some(accepted),
            () = draining.cancelled() => None,
        } {
            let peer = peer.ip().to_canonical();
            let group = (!self.proxies.contain(peer)).then(|| PeerGroup::from(peer));
            let place = match self.places.take(group) {
                Ok(place) => place,
                Err(why) => {
                    crowd.refuse(stream, why.name());
                    continue;
                }
            };
            let Limits {
                head_timeout,
                idle_timeout,
                ..
            } = self.limits;
            let connection = Connection {
                handler: Arc::clone(&self.handler),
                builder: Arc::clone(&builder),
                activity: Activity::new(place, head_timeout, idle_timeout),
                peer,
                heads: Arc::clone(&heads),
                metrics: Arc::clone(&self.metrics),
            };
            let (open, draining) = (self.metrics.connections.clone(), draining.clone());
            connections.spawn(async move {
                open.inc();
                connection.serve(stream, draining).await;
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

    async fn accept(&mut self, crowd: &Crowd) -> (TcpStream, SocketAddr) {
        self.places.settle().await;
        self.acceptor.accept(&self.places, crowd).await
    }
}
