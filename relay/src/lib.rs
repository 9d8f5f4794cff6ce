//! The public half of Podtap: accepts webhooks, stores them durably, forwards them to agents.
//!
//! `server` accepts connections → `route` says where a request goes → `ingest` stores a webhook in
//! the `queue` and answers → a `session` per agent reads the queue and acknowledges. `tunnel` says
//! which URL belongs to whom, `admin` how the relay does.
//!
//! [`Relay::bind`] opens everything and may fail; [`Bound::run`] works until its token is
//! cancelled and then drains: stop accepting, answer what was accepted, send the agents away,
//! close the queue.

mod admin;
mod answer;
mod budget;
mod config;
mod core;
mod database;
mod descriptors;
mod error;
mod host;
mod ingest;
mod manage;
mod methods;
mod metrics;
mod peer;
mod public;
mod queue;
mod rate;
mod refusal;
mod refused;
mod route;
mod server;
mod session;
mod spelling;
pub mod tunnel;
mod upkeep;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use config::{Config, Limits, Rate};
pub use database::Error as DatabaseError;
pub use error::Error;
pub use ipnet::IpNet;
pub use methods::{InvalidMethods, Methods};

use admin::Admin;
use core::Core;
use database::{Database, Lock};
use metrics::Metrics;
use peer::TrustedProxies;
use public::Public;
use queue::QueueLimits;
use queue::sqlite::SqliteQueue;
use server::{Handler, Places, Server};
use session::Sessions;
use tunnel::TokenStore;
use tunnel::directory::Directory;
use upkeep::Upkeep;

/// The part of the drain deadline that is kept for sending the agents away.
const FAREWELL_SHARE: u32 = 4;

/// How long the admin listener's connections have at the very end.
const ADMIN_PATIENCE: Duration = Duration::from_millis(250);

/// Connections that the system holds until they are accepted, as far as it allows that many: a
/// burst beyond it costs its senders a second, after which they try again.
const BACKLOG: u32 = 16 * 1024;

/// A relay that is not there yet.
#[derive(Debug)]
pub struct Relay;

/// A relay whose listeners are bound: connections queue up from now on.
#[derive(Debug)]
pub struct Bound {
    core: Arc<Core>,
    public: Server<Public>,
    admin: Option<Server<Admin>>,
    sessions: Sessions,
    /// Cancelled when the drain begins.
    draining: CancellationToken,
    data_dir: PathBuf,
    lock: Lock,
}

impl Relay {
    /// Opens the data folder and binds the listeners. Starts nothing but the queue's threads.
    pub async fn bind(config: Config) -> Result<Bound, Error> {
        let lock = Lock::take(&config.data_dir)?;
        let database = if lock.was_cut_off() {
            tracing::info!("the relay before this one was cut off; its database is checked");
            Database::open_after_a_cut(&config.data_dir)?
        } else {
            Database::open(&config.data_dir)?
        };
        let (listener, address) = listen_on(config.listen)?;
        let admin_listener = match config.admin_listen {
            Some(address) => Some(listen_on(address)?),
            None => None,
        };
        let public_url = config.public_url.unwrap_or_else(|| url_of(address));
        let proxies = match config.trusted_proxies {
            Some(networks) => TrustedProxies::new(networks),
            None if public_url.scheme() == "https" => TrustedProxies::loopback(),
            None => TrustedProxies::default(),
        };
        let mut limits = config.limits;
        descriptors::fit(&mut limits);
        let core = open(&database, limits, public_url, proxies, config.methods).await?;
        let core = Arc::new(core.ok_or_else(|| Error::Tunnels {
            data_dir: config.data_dir.clone(),
        })?);
        let sessions = Sessions::new(Arc::clone(&core));
        let draining = CancellationToken::new();
        let admin = Admin {
            core: Arc::clone(&core),
            draining: draining.clone(),
        };
        let public = Public::new(Arc::clone(&core), sessions.clone(), admin.clone());
        let admin = admin_listener.map(|listener| {
            let all = descriptors::ADMIN_CONNECTIONS;
            serve(listener, admin, Places::new(all, all), &core)
        });
        let Limits {
            max_connections, ..
        } = core.limits;
        let places = Places::new(max_connections, core.limits.connections_per_peer());
        Ok(Bound {
            public: serve((listener, address), public, places, &core),
            admin,
            sessions,
            core,
            draining,
            data_dir: config.data_dir,
            lock,
        })
    }
}

impl Bound {
    /// Where webhooks and agents arrive.
    pub fn local_addr(&self) -> SocketAddr {
        self.public.address()
    }

    /// Where health and metrics are served.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Server::address)
    }

    /// How the world reaches this relay.
    pub fn public_url(&self) -> &Url {
        &self.core.public_url
    }

    /// The tokens and tunnels of this relay's data folder.
    pub fn tokens(&self) -> Result<TokenStore, tunnel::Error> {
        TokenStore::open(&self.data_dir)
    }

    /// Works until the token is cancelled, then drains and ends within the drain deadline.
    pub async fn run(self, token: CancellationToken) -> Result<(), Error> {
        let Self {
            core,
            public,
            admin,
            sessions,
            draining,
            lock,
            ..
        } = self;
        // What must go on until the queue is closed.
        let background = CancellationToken::new();
        let upkeep = Upkeep {
            core: Arc::clone(&core),
        };
        let deadline = core.limits.drain_deadline;
        let farewell = deadline / FAREWELL_SHARE;
        let begin_drain = async {
            token.cancelled().await;
            draining.cancel();
        };
        let work = async {
            public
                .run(draining.clone(), deadline.saturating_sub(farewell))
                .await;
            sessions.drain(Instant::now() + farewell).await;
            core.queue.close().await;
            background.cancel();
        };
        let administration = async {
            if let Some(admin) = admin {
                admin.run(background.clone(), ADMIN_PATIENCE).await;
            }
        };
        tokio::join!(
            begin_drain,
            work,
            administration,
            upkeep.run(background.clone())
        );
        lock.release();
        Ok(())
    }
}

/// The queue and what stands on it; `None` when the tunnels cannot be read.
async fn open(
    database: &Database,
    limits: Limits,
    public_url: Url,
    proxies: TrustedProxies,
    methods: Methods,
) -> Result<Option<Core>, Error> {
    let metrics = Arc::new(Metrics::new());
    let queue_limits = QueueLimits::from(&limits);
    let queue = Arc::new(SqliteQueue::open(
        database,
        queue_limits,
        Arc::clone(&metrics),
    )?);
    let directory = Directory::load(Arc::clone(&queue), &limits).await;
    let Ok(directory) = directory else {
        return Ok(None);
    };
    if directory
        .tell_public_url(public_url.to_string())
        .await
        .is_err()
    {
        return Ok(None);
    }
    Ok(Some(Core {
        queue,
        directory: Arc::new(directory),
        presence: Arc::default(),
        responders: Arc::default(),
        metrics,
        limits,
        proxies,
        methods,
        public_url,
    }))
}

fn serve<H: Handler>(
    listener: (TcpListener, SocketAddr),
    handler: H,
    places: Arc<Places>,
    core: &Core,
) -> Server<H> {
    let (proxies, limits) = (core.proxies.clone(), core.limits.clone());
    let metrics = Arc::clone(&core.metrics);
    Server::new(listener, handler, places, proxies, limits, metrics)
}

fn listen_on(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // Elsewhere it would let another program take the port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen().map_err(|source| Error::Listen { address, source })
}

/// The URL of an address on this machine.
fn url_of(address: SocketAddr) -> Url {
    let host = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("http://{}/", SocketAddr::new(host, address.port()));
    #[expect(
        clippy::expect_used,
        reason = "a socket address is always a valid authority"
    )]
    url.parse()
        .expect("http:// and a socket address make a URL")
}
