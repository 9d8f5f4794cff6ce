//! Listening sockets, and the URL of one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};
use url::Url;

use crate::error::Error;

/// Connections that the system holds until they are accepted, as far as it allows that many: a
/// burst beyond it costs its senders a second, after which they try again.
const BACKLOG: u32 = 16 * 1024;

/// Sockets that listen already, handed over by whoever started the process. They outlive it: what
/// connects while it restarts waits in them.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For webhooks and agents, in place of [`Config::listen`](crate::Config::listen).
    pub public: Option<std::net::TcpListener>,
    /// For health and metrics, in place of [`Config::admin_listen`](crate::Config::admin_listen).
    pub admin: Option<std::net::TcpListener>,
}

/// The socket that was handed over, or one bound to the address.
pub(crate) fn adopt_or_bind(
    listener: Option<std::net::TcpListener>,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), Error> {
    listener.map_or_else(|| bind(address), adopt)
}

/// The same where there may be neither.
pub(crate) fn adopt_or_bind_some(
    listener: Option<std::net::TcpListener>,
    address: Option<SocketAddr>,
) -> Result<Option<(TcpListener, SocketAddr)>, Error> {
    match listener {
        Some(listener) => adopt(listener).map(Some),
        None => address.map(bind).transpose(),
    }
}

/// A socket that listens already, and where.
fn adopt(listener: std::net::TcpListener) -> Result<(TcpListener, SocketAddr), Error> {
    let adopt = || {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    adopt().map_err(|source| Error::Adopt { source })
}

/// A socket that is bound, and where: port 0 finds a free one.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
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
pub(crate) fn url_of(address: SocketAddr) -> Url {
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
