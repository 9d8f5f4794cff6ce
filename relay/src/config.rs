//! Defines the configuration of a relay: typed and complete, with each default beside its meaning.
//!
//! The binary fills it from flags, environment and file. Each part gets only what it needs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::database::DatabaseUrl;
use crate::methods::Methods;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Complete configuration of a relay.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Address for webhooks and agents. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// Whether connections to `listen` use TLS, and with which certificate.
    pub tls: TlsMode,
    /// Address for webhooks without TLS beside `listen`, but not for agents. None by default.
    pub http_listen: Option<SocketAddr>,
    /// URL at which `listen` is reached from outside. By default `http://` or `https://` and
    /// the bound address.
    pub public_url: Option<Url>,
    /// Folder of the database, which is created if it is missing.
    pub data_dir: PathBuf,
    /// Database that several relays may share. By default the embedded database in `data_dir`.
    pub database: Option<DatabaseUrl>,
    /// Additional address for health and metrics. None by default.
    pub admin_listen: Option<SocketAddr>,
    /// Proxies that are trusted to report the sender's address. `None` means this machine if
    /// `public_url` is https and `tls` is off, because another program has the certificate
    /// then, and no proxy otherwise.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Whether these proxies begin each connection with the PROXY protocol, version 1 or 2.
    /// Such a beginning is refused from any other peer.
    pub proxy_protocol: bool,
    /// Accepted methods of webhooks. Any by default.
    pub methods: Methods,
    /// Limits on sizes, numbers and times.
    pub limits: Limits,
}

impl RelayConfig {
    /// Returns the configuration of a relay on loopback at a free port, with this data folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: TlsMode::Off,
            http_listen: None,
            public_url: None,
            data_dir: data_dir.into(),
            database: None,
            admin_listen: None,
            trusted_proxies: None,
            proxy_protocol: false,
            methods: Methods::default(),
            limits: Limits::default(),
        }
    }
}

/// Source of a relay's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsMode {
    /// Connections do not use TLS: a proxy has the certificate, or there is none.
    Off,
    /// Two files, which another program renews.
    Files {
        /// File of the chain in PEM format, the server's own certificate first.
        certificate: PathBuf,
        /// File of its private key in PEM format, which may be the same file.
        key: PathBuf,
    },
    /// An authority from which the relay orders the certificate.
    Acme(Acme),
}

/// Settings for ordering certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// Names for which the certificate is valid.
    pub domains: Vec<String>,
    /// Mail addresses to which the authority writes.
    pub contacts: Vec<String>,
    /// URL of the authority's directory.
    pub directory: Url,
    /// PEM file of the authorities that are trusted for the directory's own certificate. By
    /// default those of the system.
    pub authorities: Option<PathBuf>,
}

impl Acme {
    /// Directory of Let's Encrypt.
    pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
}

/// Limits of a relay (invariant 5).
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Maximum size of a webhook body; at most [`podtap_wire::limits::MAX_BODY_BYTES`] has an
    /// effect.
    pub max_body_bytes: usize,
    /// Maximum number of bytes of bodies being received or stored at once, over all
    /// connections. A tunnel may use an eighth. Of the total, 16 MiB, but at most an eighth,
    /// are reserved for bodies up to 64 KiB.
    pub max_inflight_bytes: usize,
    /// Minimum rate of a body after the first 2 s, in bytes per second.
    pub min_body_rate: Option<u32>,
    /// Maximum size of a request's head, in bytes; at least 8 KiB has an effect.
    pub max_head_bytes: usize,
    /// Maximum number of bytes of heads at once: half for unfinished heads, half for heads of
    /// requests in progress, of which a peer may use an eighth.
    pub max_head_memory: usize,
    /// Maximum number of open connections, not counting those of agents. A further connection
    /// replaces the one that has been without a request for longest, or is answered 503 if all
    /// have a request.
    pub max_connections: usize,
    /// Maximum number of these connections per peer, which is an IPv4 address or an IPv6 network of
    /// 64 bits. `None` means a quarter of them, but at most 1,024. Trusted proxies are not limited.
    pub max_connections_per_peer: Option<usize>,
    /// Maximum number of sessions with agents, in addition to the connections.
    pub max_sessions: usize,
    /// Maximum number of queued events per tunnel.
    pub max_queue_events: u64,
    /// Maximum number of queued bytes per tunnel.
    pub max_queue_bytes: u64,
    /// Maximum number of tunnels per owner.
    pub max_owner_tunnels: u64,
    /// Maximum number of connected agents per owner.
    pub max_owner_sessions: usize,
    /// Maximum number of events in all queues of one owner.
    pub max_owner_queue_events: u64,
    /// Maximum number of bytes in all queues of one owner.
    pub max_owner_queue_bytes: u64,
    /// Maximum number of bytes in the queues of all owners. One owner may use no more than what
    /// is left for the others. `None` for no limit.
    pub max_total_queue_bytes: Option<u64>,
    /// Maximum number of bytes of events being sent to agents, and of answers being received
    /// from them, over all sessions. One owner may use a quarter.
    pub max_session_memory: usize,
    /// Age at which an event is removed that no agent has received.
    pub max_age: Duration,
    /// Maximum rate of webhooks per tunnel; `None` for no limit.
    pub max_rate: Option<Rate>,
    /// Maximum rate of requests per peer, over all tunnels; `None` for no limit.
    pub max_rate_per_peer: Option<Rate>,
    /// Maximum size of a local service's answer that is passed on under `respond: local`.
    pub max_response_bytes: usize,
    /// Maximum number of bytes sent to one agent and not acknowledged yet.
    pub max_unacknowledged_bytes: usize,
    /// Free space on the data folder's disk below which no webhook is accepted.
    pub min_free_bytes: u64,
    /// Space reserved so that acknowledgements succeed on a full disk.
    pub reserve_bytes: u64,
    /// Maximum time from the opening of a connection to the end of its first request's head.
    pub head_timeout: Duration,
    /// Maximum time from the end of a request's head to the end of its body.
    pub body_timeout: Duration,
    /// Maximum time that a connection may stay open between requests.
    pub idle_timeout: Duration,
    /// Maximum time from the upgrade to an agent's hello.
    pub hello_timeout: Duration,
    /// Maximum time for storing a webhook before it is refused. It is shorter than Podio's 15 s
    /// (podio.md, section 1.3), so that Podio receives the refusal.
    pub store_timeout: Duration,
    /// Maximum time to wait for the local service's answer under `respond: local`.
    pub respond_timeout: Duration,
    /// Maximum time of a shutdown.
    pub drain_deadline: Duration,
}

impl Limits {
    /// Returns the maximum number of connections per peer.
    pub fn connections_per_peer(&self) -> usize {
        /// More than one sender of webhooks opens in a burst.
        const STANDARD: usize = KIB;
        let share = (self.max_connections / 4).clamp(1, STANDARD);
        self.max_connections_per_peer.unwrap_or(share)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 8 * MIB,
            max_inflight_bytes: 128 * MIB,
            min_body_rate: Some(16 * 1024),
            max_head_bytes: 16 * KIB,
            max_head_memory: 64 * MIB,
            max_connections: 16 * KIB,
            max_connections_per_peer: None,
            max_sessions: 4 * KIB,
            max_queue_events: 100_000,
            max_queue_bytes: 1024 * MIB as u64,
            max_owner_tunnels: 100,
            max_owner_sessions: 100,
            max_owner_queue_events: 400_000,
            max_owner_queue_bytes: 4 * 1024 * MIB as u64,
            max_total_queue_bytes: Some(16 * 1024 * MIB as u64),
            max_session_memory: 96 * MIB,
            max_age: Duration::from_hours(7 * 24),
            max_rate: Some(Rate::per_second(100)),
            max_rate_per_peer: Some(Rate::per_second(1000)),
            max_response_bytes: 8 * MIB,
            max_unacknowledged_bytes: 32 * MIB,
            min_free_bytes: 64 * MIB as u64,
            reserve_bytes: 16 * MIB as u64,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(1),
            hello_timeout: Duration::from_secs(10),
            store_timeout: Duration::from_secs(10),
            respond_timeout: Duration::from_secs(10),
            drain_deadline: Duration::from_secs(10),
        }
    }
}

/// A steady rate with room for bursts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Number of webhooks per second in the long run.
    pub per_second: f64,
    /// Number of webhooks at once after a quiet time.
    pub burst: f64,
}

impl Rate {
    /// Returns a rate whose burst is as large as the webhooks of one minute, because Podio's
    /// imports arrive in one burst.
    pub fn per_second(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            burst: 60.0 * per_second,
        }
    }

    /// Returns this part of the rate.
    pub(crate) fn part(self, part: f64) -> Self {
        Self {
            per_second: part * self.per_second,
            burst: (part * self.burst).ceil(),
        }
    }
}
