//! Listening sockets, and the URL of one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};
use url::Url;

use crate::config::{RelayConfig, TlsMode};
use crate::error::StartError;

/// Connections that the system holds until they are accepted, as far as it allows that many: a
/// burst beyond it costs its senders a second, after which they try again.
const BACKLOG: u32 = 16 * 1024;

/// Sockets that listen already, handed over by whoever started the process. They outlive it: what
/// connects while it restarts waits in them.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For webhooks and agents, in place of [`RelayConfig::listen`](crate::RelayConfig::listen).
    pub public: Option<std::net::TcpListener>,
    /// For health and metrics, in place of [`RelayConfig::admin_listen`](crate::RelayConfig::admin_listen).
    pub admin: Option<std::net::TcpListener>,
    /// For webhooks in the clear, in place of [`RelayConfig::http_listen`](crate::RelayConfig::http_listen).
    pub http: Option<std::net::TcpListener>,
}

/// The listening sockets of a relay, each with its address.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) public: (TcpListener, SocketAddr),
    pub(crate) http: Option<(TcpListener, SocketAddr)>,
    pub(crate) admin: Option<(TcpListener, SocketAddr)>,
}

impl Sockets {
    /// Those that were handed over; the others are bound to the configured addresses.
    pub(crate) fn open(listeners: Listeners, config: &RelayConfig) -> Result<Self, StartError> {
        Ok(Self {
            public: listeners
                .public
                .map_or_else(|| bind(config.listen), adopt)?,
            http: adopt_or_bind(listeners.http, config.http_listen)?,
            admin: adopt_or_bind(listeners.admin, config.admin_listen)?,
        })
    }
}

/// The socket that was handed over, else one bound to the address, if there is either.
fn adopt_or_bind(
    listener: Option<std::net::TcpListener>,
    address: Option<SocketAddr>,
) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    match listener {
        Some(listener) => adopt(listener).map(Some),
        None => address.map(bind).transpose(),
    }
}

/// A socket that listens already, and where.
fn adopt(listener: std::net::TcpListener) -> Result<(TcpListener, SocketAddr), StartError> {
    let adopt = || {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    adopt().map_err(|source| StartError::Adopt { source })
}

/// A socket that is bound, and where: port 0 finds a free one.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
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
    listen().map_err(|source| StartError::Listen { address, source })
}

/// How the world reaches a relay: as configured, else at the address bound.
pub(crate) fn public_url(config: &RelayConfig, bound: SocketAddr) -> Url {
    let scheme = match config.tls {
        TlsMode::Off => "http",
        TlsMode::Files { .. } | TlsMode::Acme(_) => "https",
    };
    let configured = config.public_url.clone();
    configured
        .unwrap_or_else(|| certificate_url(config, bound).unwrap_or_else(|| url_of(scheme, bound)))
}

/// The URL of the first name that the certificate is ordered for.
fn certificate_url(config: &RelayConfig, bound: SocketAddr) -> Option<Url> {
    let TlsMode::Acme(acme) = &config.tls else {
        return None;
    };
    let domain = acme.domains.first()?;
    format!("https://{domain}:{}/", bound.port()).parse().ok()
}

/// The URL of an address on this machine.
fn url_of(scheme: &str, address: SocketAddr) -> Url {
    let host = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("{scheme}://{}/", SocketAddr::new(host, address.port()));
    #[expect(
        clippy::expect_used,
        reason = "a socket address is always a valid authority"
    )]
    url.parse()
        .expect("a scheme and a socket address make a URL")
}
