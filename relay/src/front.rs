//! Opens the listeners of a relay: everything is served on the public one, only webhooks on
//! the plain one beside it, health and metrics on the admin one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use url::Url;

use crate::admin::Admin;
use crate::config::{Limits, RelayConfig, TlsMode};
use crate::descriptors;
use crate::listen::Sockets;
use crate::metrics::Metrics;
use crate::peer::TrustedProxies;
use crate::public::Public;
use crate::server::{House, Places, Server};
use crate::tls::Tls;
use crate::webhooks_only::WebhooksOnly;

/// All listeners. The public and the plain one are reached from outside and share their limits.
#[derive(Debug)]
pub(crate) struct Front {
    public: Server<Public>,
    http: Option<Server<WebhooksOnly>>,
    admin: Option<Server<Admin>>,
}

/// Settings of connections: their limits and TLS.
pub(crate) struct ConnectionTerms<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) proxies: TrustedProxies,
    /// Whether the trusted proxies send the PROXY protocol.
    pub(crate) proxy_protocol: bool,
    pub(crate) tls: Option<Tls>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Front {
    pub(crate) fn new(
        sockets: Sockets,
        public: Public,
        admin: Admin,
        terms: ConnectionTerms<'_>,
    ) -> Self {
        let ConnectionTerms {
            limits,
            proxies,
            proxy_protocol,
            tls,
            metrics,
        } = terms;
        let house = |max, max_per_peer| {
            let places = Places::new(max, max_per_peer);
            House::new(limits, places, proxies.clone(), Arc::clone(&metrics))
        };
        let mut open = house(limits.max_connections, limits.connections_per_peer());
        if proxy_protocol {
            open = open.behind_proxy_protocol();
        }
        let public = Arc::new(public);
        let http = sockets.http.map(|socket| {
            let handler = Arc::new(WebhooksOnly(Arc::clone(&public)));
            Server::new(socket, handler, open.clone(), None)
        });
        let admin = sockets.admin.map(|socket| {
            let all = descriptors::ADMIN_CONNECTIONS;
            Server::new(socket, Arc::new(admin), house(all, all), None)
        });
        Self {
            public: Server::new(sockets.public, public, open, tls),
            http,
            admin,
        }
    }

    /// Returns the address for webhooks and agents.
    pub(crate) fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// Returns the address for webhooks without TLS.
    pub(crate) fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(Server::address)
    }

    /// Returns the address for health and metrics.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Server::address)
    }

    /// Splits the listeners into those that are reached from outside, which end when the relay
    /// drains, and the admin listener, which runs until the very end.
    pub(crate) fn split_by_audience(self) -> (PublicListeners, Option<Server<Admin>>) {
        let Self {
            public,
            http,
            admin,
        } = self;
        (PublicListeners { public, http }, admin)
    }
}

/// Listeners that are reached from outside.
#[derive(Debug)]
pub(crate) struct PublicListeners {
    public: Server<Public>,
    http: Option<Server<WebhooksOnly>>,
}

impl PublicListeners {
    /// Serves until `draining` is cancelled, then ends within `patience`.
    pub(crate) async fn run(self, draining: &CancellationToken, patience: Duration) {
        let in_the_clear = async {
            if let Some(http) = self.http {
                http.run(draining.clone(), patience).await;
            }
        };
        tokio::join!(self.public.run(draining.clone(), patience), in_the_clear);
    }
}

/// Returns the trusted proxies; see [`RelayConfig::trusted_proxies`].
pub(crate) fn trusted_proxies(config: &RelayConfig) -> TrustedProxies {
    let is_https = |url: &Url| url.scheme() == "https";
    match &config.trusted_proxies {
        Some(networks) => TrustedProxies::new(networks.clone()),
        // Another program has the certificate then.
        None if config.tls == TlsMode::Off && config.public_url.as_ref().is_some_and(is_https) => {
            TrustedProxies::loopback()
        }
        None => TrustedProxies::default(),
    }
}
