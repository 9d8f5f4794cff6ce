//! Opens listening sockets and determines their URLs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};
use url::Url;

use crate::config::{RelayConfig, TlsMode};
use crate::error::StartError;

/// Number of connections that the system keeps until they are accepted, if it allows that
/// many. If a burst exceeds it, the senders try again after a second.
const BACKLOG: u32 = 16 * 1024;

/// Listening sockets that the parent process passed on. They outlive this process:
/// connections that arrive while it restarts wait in them.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Socket for webhooks and agents, in place of
    /// [`RelayConfig::listen`](crate::RelayConfig::listen).
    pub public: Option<std::net::TcpListener>,
    /// Socket for health and metrics, in place of
    /// [`RelayConfig::admin_listen`](crate::RelayConfig::admin_listen).
    pub admin: Option<std::net::TcpListener>,
    /// Socket for webhooks without TLS, in place of
    /// [`RelayConfig::http_listen`](crate::RelayConfig::http_listen).
    pub http: Option<std::net::TcpListener>,
}

/// Listening sockets of a relay, each with its address.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) public: (TcpListener, SocketAddr),
    pub(crate) http: Option<(TcpListener, SocketAddr)>,
    pub(crate) admin: Option<(TcpListener, SocketAddr)>,
}

impl Sockets {
    /// Uses the sockets that were passed on, and binds the others to the configured addresses.
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

/// Returns the socket that was passed on, otherwise one bound to the address, or `None`
/// without either.
fn adopt_or_bind(
    listener: Option<std::net::TcpListener>,
    address: Option<SocketAddr>,
) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    match listener {
        Some(listener) => adopt(listener).map(Some),
        None => address.map(bind).transpose(),
    }
}

/// Returns a socket that is already listening, and its address.
fn adopt(listener: std::net::TcpListener) -> Result<(TcpListener, SocketAddr), StartError> {
    let adopt = || {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    adopt().map_err(|source| StartError::Adopt { source })
}

/// Binds a socket and returns it with its address. Port 0 selects a free port.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // On other systems, this option would allow another program to take the port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen().map_err(|source| StartError::Listen { address, source })
}

/// Returns the URL at which a relay is reached from outside: the configured URL, otherwise
/// that of the bound address.
pub(crate) fn public_url(config: &RelayConfig, bound: SocketAddr) -> Url {
    let scheme = match config.tls {
        TlsMode::Off => "http",
        TlsMode::Files { .. } | TlsMode::Acme(_) => "https",
    };
    let configured = config.public_url.clone();
    configured
        .unwrap_or_else(|| certificate_url(config, bound).unwrap_or_else(|| url_of(scheme, bound)))
}

/// Returns the URL of the first name for which the certificate is ordered.
fn certificate_url(config: &RelayConfig, bound: SocketAddr) -> Option<Url> {
    let TlsMode::Acme(acme) = &config.tls else {
        return None;
    };
    let domain = acme.domains.first()?;
    format!("https://{domain}:{}/", bound.port()).parse().ok()
}

/// Returns the URL of an address on this machine.
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
