//! Listening sockets, and the URL of one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};
use url::Url;

use crate::error::Error;

/// Connections that the system holds until they are accepted, as far as it allows that many: a
/// burst beyond it costs its senders a second, after which they try again.
const BACKLOG: u32 = 16 * 1024;

/// A socket that is bound, and where: port 0 finds a free one.
pub(crate) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
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
