//! Implements the relay, the public half of Podtap: it accepts webhooks, stores them durably and
//! sends them to agents.
//!
//! `server` accepts connections → `route` says where a request goes → `ingest` stores a webhook in
//! the `queue` and answers → a `session` per agent reads the queue and acknowledges. `tunnel` says
//! which URL belongs to which owner, and `admin` reports the state of the relay.
//!
//! [`Relay::bind`] opens everything and may fail. [`BoundRelay::run`] runs until its token is
//! cancelled and then drains: it stops accepting, answers the accepted requests, ends the sessions
//! and closes the queue.

mod admin;
mod answer;
mod answers;
mod budget;
mod config;
mod database;
mod descriptors;
mod error;
mod framing;
mod front;
mod gate;
mod held;
mod host;
mod ingest;
mod listen;
mod manage;
mod messenger;
mod methods;
mod metrics;
mod peer;
mod pem_file;
mod postgres;
mod public;
mod queue;
mod rate;
mod refusal;
mod refused;
mod responders;
mod roster;
mod route;
mod server;
mod session;
mod spelling;
mod store;
mod tls;
pub mod tunnel;
mod upkeep;
mod webhooks_only;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use config::{Acme, Limits, Rate, RelayConfig, TlsMode};
pub use database::{DatabaseError, DatabaseUrl, InvalidDatabaseUrl, PostgresError};
pub use error::StartError;
pub use ipnet::IpNet;
pub use listen::Listeners;
pub use methods::{InvalidMethods, Methods};
pub use pem_file::PemFileError;
pub use tls::CertificateError;

use admin::Admin;
use front::Front;
use gate::TokenGate;
use held::HeldRequests;
use ingest::{Bounds, Ingest};
use listen::Sockets;
use manage::Manager;
use metrics::Metrics;
use public::{FrontDoor, Public};
use queue::QueueError;
use responders::Responders;
use session::presence::Presence;
use session::{Admission, SessionTerms, Sessions};
pub use store::tokens_of;
use store::{OpenStore, Store};
use tls::Keeper;
use tunnel::TokenStore;
use tunnel::directory::Directory;
use tunnel::registry::Registry;
use upkeep::{POLL_PERIOD, Upkeep};

/// Divisor of the drain deadline: this part is reserved for ending the sessions.
const FAREWELL_SHARE: u32 = 4;

/// Maximum time to end the connections of the admin listener.
const ADMIN_PATIENCE: Duration = Duration::from_millis(250);

/// Opens relays, see [`Relay::bind`].
#[derive(Debug)]
pub struct Relay;

/// A relay whose listeners are bound: from now on, connections wait to be accepted.
#[derive(Debug)]
pub struct BoundRelay {
    front: Front,
    certificate: Option<Keeper>,
    sessions: Sessions,
    held: Arc<HeldRequests>,
    upkeep: Upkeep,
    /// Cancelled when the drain begins.
    draining: CancellationToken,
    drain_deadline: Duration,
    public_url: Url,
    opened: OpenStore,
}

impl Relay {
    /// Opens the data folder and binds the listeners. Starts only the queue's threads.
    pub async fn bind(config: RelayConfig) -> Result<BoundRelay, StartError> {
        Self::bind_with(config, Listeners::default()).await
    }

    /// Does the same as [`Relay::bind`], but uses existing listeners in place of the configured
    /// addresses.
    pub async fn bind_with(
        config: RelayConfig,
        listeners: Listeners,
    ) -> Result<BoundRelay, StartError> {
        let limits = descriptors::fit(config.limits.clone());
        let metrics = Arc::new(Metrics::new());
        let (tls, certificate) = tls::open(&config, &metrics)?.unzip();
        let opened = OpenStore::of(&config, &limits, &metrics).await?;
        let sockets = Sockets::open(listeners, &config)?;
        let proxies = front::trusted_proxies(&config);
        let public_url = listen::public_url(&config, sockets.public.1);
        let Store {
            queue,
            registry,
            roster,
            answers,
            ..
        } = opened.store.clone();
        let directory = tunnels(registry, &limits, &public_url).await;
        let directory = directory.map_err(|_| StartError::Tunnels {
            store: opened.to_string(),
        })?;
        let presence = Arc::new(Presence::new(roster));
        let held = Arc::new(HeldRequests::new(Responders::new(answers)));
        let draining = CancellationToken::new();
        let gate = Arc::new(TokenGate::new(&directory, &metrics));
        let sessions = Sessions {
            gate: Arc::clone(&gate),
            directory: Arc::clone(&directory),
            presence: Arc::clone(&presence),
            queue: Arc::clone(&queue),
            held: Arc::clone(&held),
            metrics: Arc::clone(&metrics),
            terms: Arc::new(SessionTerms::new(&limits, public_url.clone())),
            admission: Admission::new(&limits),
        };
        let admin = Admin::new(&queue, &metrics, &draining);
        let public = Public {
            door: FrontDoor::new(&limits, proxies.clone(), config.methods.clone()),
            ingest: Ingest {
                directory: Arc::clone(&directory),
                presence: Arc::clone(&presence),
                queue: Arc::clone(&queue),
                held: Arc::clone(&held),
                metrics: Arc::clone(&metrics),
                methods: config.methods,
                bounds: Bounds::new(&limits),
            },
            sessions: sessions.clone(),
            manager: Manager {
                gate,
                directory: Arc::clone(&directory),
                presence: Arc::clone(&presence),
                public_url: public_url.clone(),
                body_timeout: limits.body_timeout,
                limits: manage::public_limits(&limits),
            },
            admin: admin.clone(),
        };
        let terms = front::ConnectionTerms {
            limits: &limits,
            proxies,
            proxy_protocol: config.proxy_protocol,
            tls,
            metrics,
        };
        Ok(BoundRelay {
            front: Front::new(sockets, public, admin, terms),
            certificate,
            sessions,
            upkeep: Upkeep::new(&opened.store, directory, presence, limits.max_age),
            held,
            draining,
            drain_deadline: limits.drain_deadline,
            public_url,
            opened,
        })
    }
}

impl BoundRelay {
    /// Returns the address for webhooks and agents.
    pub fn local_addr(&self) -> SocketAddr {
        self.front.address()
    }

    /// Returns the address for webhooks without TLS.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.front.http_address()
    }

    /// Returns the signal that makes the certificate be read again, or `None` if the relay has
    /// no certificate.
    pub fn reload(&self) -> Option<Arc<Notify>> {
        self.certificate.as_ref().map(Keeper::reload)
    }

    /// Returns the address for health and metrics.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.front.admin_address()
    }

    /// Returns the URL at which this relay is reached from outside.
    pub fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// Returns the tokens and tunnels of this relay.
    pub fn tokens(&self) -> Result<TokenStore, tunnel::TokenStoreError> {
        self.opened.tokens()
    }

    /// Runs until the token is cancelled, then drains and ends within the drain deadline.
    pub async fn run(self, token: CancellationToken) -> Result<(), StartError> {
        let Self {
            front,
            certificate,
            sessions,
            held,
            upkeep,
            draining,
            drain_deadline,
            opened,
            ..
        } = self;
        let (world, admin) = front.split_by_audience();
        // `background` ends after the queue is closed. `looking` is for tasks that use the store,
        // and ends before.
        let (background, looking) = (CancellationToken::new(), CancellationToken::new());
        let (upkeep_ended, no_upkeep) = oneshot::channel();
        let farewell = drain_deadline / FAREWELL_SHARE;
        let bell = opened.bell(POLL_PERIOD);
        let begin_drain = async {
            token.cancelled().await;
            draining.cancel();
            // Senders that wait for a local service get an answer before the connections are
            // closed.
            held.close();
        };
        let work = async {
            let patience = drain_deadline.saturating_sub(farewell);
            Box::pin(world.run(&draining, patience)).await;
            sessions.drain(Instant::now() + farewell).await;
            looking.cancel();
            // A database that cannot be reached must not delay the end.
            let _ = tokio::time::timeout(farewell, no_upkeep).await;
            opened.store.queue.close().await;
            background.cancel();
        };
        let administration = async {
            if let Some(admin) = admin {
                admin.run(background.clone(), ADMIN_PATIENCE).await;
            }
        };
        let clockwork = async {
            upkeep.run(bell, looking.clone()).await;
            let _ = upkeep_ended.send(());
        };
        let renewal = async {
            if let Some(certificate) = certificate {
                Box::pin(certificate.run(background.clone())).await;
            }
        };
        tokio::join!(
            begin_drain,
            work,
            administration,
            renewal,
            held.stored.run(background.clone()),
            clockwork
        );
        if let Some(lock) = opened.lock {
            lock.release();
        }
        Ok(())
    }
}

/// Loads the tunnels, and stores this relay's public URL for the command line.
async fn tunnels(
    registry: Arc<dyn Registry>,
    limits: &Limits,
    public_url: &Url,
) -> Result<Arc<Directory>, QueueError> {
    let directory = Directory::load(registry, limits).await?;
    // Only the command line needs the URL, so a full disk does not keep the relay from starting.
    if let Err(error) = directory.tell_public_url(public_url.to_string()).await {
        tracing::warn!(%error, "this relay's public URL cannot be kept for the command line");
    }
    Ok(Arc::new(directory))
}
