//! The listeners of a relay and what is behind each: everything on the public one, webhooks alone on
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

/// The listeners, of which two serve the world and share its limits.
#[derive(Debug)]
pub(crate) struct Front {
    public: Server<Public>,
    http: Option<Server<WebhooksOnly>>,
    admin: Option<Server<Admin>>,
}

/// What connections are held to, and how they are secured.
pub(crate) struct ConnectionTerms<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) proxies: TrustedProxies,
    /// Whether these send the PROXY protocol.
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

    /// Where webhooks and agents arrive.
    pub(crate) fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// Where webhooks arrive in the clear as well.
    pub(crate) fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(Server::address)
    }

    /// Where health and metrics are served.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Server::address)
    }

    /// The part that the world reaches, which ends when the relay drains, and the part that goes on
    /// to the very end.
    pub(crate) fn split_by_audience(self) -> (PublicListeners, Option<Server<Admin>>) {
        let Self {
            public,
            http,
            admin,
        } = self;
        (PublicListeners { public, http }, admin)
    }
}

/// The listeners that the world reaches.
#[derive(Debug)]
pub(crate) struct PublicListeners {
    public: Server<Public>,
    http: Option<Server<WebhooksOnly>>,
}

impl PublicListeners {
    /// Serves until told to drain, and ends within `patience` then.
    pub(crate) async fn run(self, draining: &CancellationToken, patience: Duration) {
        let in_the_clear = async {
            if let Some(http) = self.http {
                http.run(draining.clone(), patience).await;
            }
        };
        tokio::join!(self.public.run(draining.clone(), patience), in_the_clear);
    }
}

/// The proxies whose word is taken; see [`RelayConfig::trusted_proxies`].
pub(crate) fn trusted_proxies(config: &RelayConfig) -> TrustedProxies {
    let is_https = |url: &Url| url.scheme() == "https";
    match &config.trusted_proxies {
        Some(networks) => TrustedProxies::new(networks.clone()),
        // Something else has the certificate then.
        None if config.tls == TlsMode::Off && config.public_url.as_ref().is_some_and(is_https) => {
            TrustedProxies::loopback()
        }
        None => TrustedProxies::default(),
    }
}
