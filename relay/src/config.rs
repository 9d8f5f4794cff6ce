//! What a relay may be told: typed, complete, each default beside its meaning.
//!
//! The binary fills it from flags, environment and file; the parts see only what they need of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::database::DatabaseUrl;
use crate::methods::Methods;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Everything a relay needs to know before it starts.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Where webhooks and agents arrive; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether connections to `listen` are secured here, and with which certificate.
    pub tls: TlsMode,
    /// Where webhooks arrive in the clear beside `listen`, and agents do not; nowhere by default.
    pub http_listen: Option<SocketAddr>,
    /// How the world reaches `listen`; by default `http://` or `https://` and the address bound.
    pub public_url: Option<Url>,
    /// The folder of the database; made when missing.
    pub data_dir: PathBuf,
    /// The database that other relays may share; the embedded one of `data_dir` by default.
    pub database: Option<DatabaseUrl>,
    /// Where health and metrics are served as well; none by default.
    pub admin_listen: Option<SocketAddr>,
    /// The proxies whose word on the sender's address is taken. `None` for this machine where
    /// `public_url` is https and `tls` is off, as something else has the certificate then; and for
    /// nobody else.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Whether these proxies begin each connection with the PROXY protocol, version 1 or 2. From
    /// anybody else such a beginning is refused.
    pub proxy_protocol: bool,
    /// The methods of webhooks that are taken; any by default.
    pub methods: Methods,
    /// What is refused, and how long anything may take.
    pub limits: Limits,
}

impl RelayConfig {
    /// A relay on loopback at a free port, for this data folder.
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

/// Where the certificate of a relay comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsMode {
    /// Connections are in the clear: a proxy has the certificate, or there is none.
    Off,
    /// From two files, which another program renews.
    Files {
        /// The chain in PEM format, the server's own certificate first.
        certificate: PathBuf,
        /// Its private key in PEM format; may be in the same file.
        key: PathBuf,
    },
    /// From an authority, which the relay asks for it.
    Acme(Acme),
}

/// What a relay needs to order certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The names that the certificate is for.
    pub domains: Vec<String>,
    /// Mail addresses that the authority writes to.
    pub contacts: Vec<String>,
    /// The authority's directory.
    pub directory: Url,
    /// A PEM file of the authorities that the directory's own certificate may be from; those of the
    /// system by default.
    pub authorities: Option<PathBuf>,
}

impl Acme {
    /// The directory of Let's Encrypt.
    pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
}

/// The bounds of a relay (invariant 5).
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The largest webhook body; at most [`podtap_wire::limits::MAX_BODY_BYTES`] has an effect.
    pub max_body_bytes: usize,
    /// Bytes of bodies being received or stored at one moment, over all connections; a tunnel may
    /// hold an eighth. Of them 16 MiB, and at most an eighth, are for bodies up to 64 KiB alone.
    pub max_inflight_bytes: usize,
    /// The slowest that a body may come after the first 2 s, in bytes a second.
    pub min_body_rate: Option<u32>,
    /// The largest head of a request, in bytes; at least 8 KiB has an effect.
    pub max_head_bytes: usize,
    /// Bytes of heads at one moment: a half for those that are not complete, a half for those of
    /// requests in progress, of which a peer may hold an eighth.
    pub max_head_memory: usize,
    /// Connections open at one moment beside those of agents. One more takes the place of the one
    /// that has been without a request for longest, or is answered 503 where all have one.
    pub max_connections: usize,
    /// Of these, the connections of one peer: an IPv4 address or an IPv6 network of 64 bits.
    /// `None` for a quarter of them, 1,024 at most. Trusted proxies may have any number.
    pub max_connections_per_peer: Option<usize>,
    /// Sessions with agents at one moment, beside the connections.
    pub max_sessions: usize,
    /// Events that one tunnel's queue holds.
    pub max_queue_events: u64,
    /// Bytes that one tunnel's queue holds.
    pub max_queue_bytes: u64,
    /// Tunnels that one owner may have.
    pub max_owner_tunnels: u64,
    /// Agents of one owner connected at one moment.
    pub max_owner_sessions: usize,
    /// Events that all queues of one owner hold together.
    pub max_owner_queue_events: u64,
    /// Bytes that all queues of one owner hold together.
    pub max_owner_queue_bytes: u64,
    /// Bytes that the queues of all owners hold together, of which one gets no more than what is left
    /// for the others; `None` for any number.
    pub max_total_queue_bytes: Option<u64>,
    /// Bytes of events on their way to agents, and of answers on their way from them, over all
    /// sessions. One owner gets a quarter at most.
    pub max_session_memory: usize,
    /// The age at which an event that no agent took is removed.
    pub max_age: Duration,
    /// Webhooks that one tunnel accepts; `None` for any number.
    pub max_rate: Option<Rate>,
    /// Requests of one peer, over all tunnels; `None` for any number.
    pub max_rate_per_peer: Option<Rate>,
    /// The largest answer of a local service that is passed on under `respond: local`.
    pub max_response_bytes: usize,
    /// Bytes sent to one agent and not acknowledged yet.
    pub max_unacknowledged_bytes: usize,
    /// Free space on the data folder's disk below which no webhook is accepted.
    pub min_free_bytes: u64,
    /// Space set aside so that acknowledgements succeed on a full disk.
    pub reserve_bytes: u64,
    /// From the opening of a connection to the end of its first request's head.
    pub head_timeout: Duration,
    /// From a request's head to the end of its body.
    pub body_timeout: Duration,
    /// How long a connection may stay open between requests.
    pub idle_timeout: Duration,
    /// From the upgrade to an agent's hello.
    pub hello_timeout: Duration,
    /// The longest wait for the disk before a webhook is refused. Below Podio's 15 s (podio.md,
    /// section 1.3), so that it hears the refusal.
    pub store_timeout: Duration,
    /// The longest wait for the local service's answer under `respond: local`.
    pub respond_timeout: Duration,
    /// How long a shutdown may take.
    pub drain_deadline: Duration,
}

impl Limits {
    /// The connections that one peer may have.
    pub fn connections_per_peer(&self) -> usize {
        /// More than one sender of webhooks has in a burst.
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
    /// Webhooks a second in the long run.
    pub per_second: f64,
    /// Webhooks at once after a quiet time.
    pub burst: f64,
}

impl Rate {
    /// A rate with room for a burst as large as a minute's worth: Podio's imports come in one.
    pub fn per_second(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            burst: 60.0 * per_second,
        }
    }

    /// A part of it.
    pub(crate) fn part(self, part: f64) -> Self {
        Self {
            per_second: part * self.per_second,
            burst: (part * self.burst).ceil(),
        }
    }
}
