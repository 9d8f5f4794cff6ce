//! Defines why a relay cannot start, with messages that say what the operator can do.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use crate::database;
use crate::tls::CertificateError;

/// Reason why a relay cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder or its database cannot be used.
    #[error(transparent)]
    Database(#[from] database::DatabaseError),
    /// The database that relays share cannot be used.
    #[error(transparent)]
    Postgres(#[from] database::PostgresError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; {}", what_to_do(source))]
    Listen {
        address: SocketAddr,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A listening socket that was passed to the process cannot be used.
    #[error("cannot use the socket that was passed")]
    Adopt {
        /// Error of the operating system.
        source: io::Error,
    },
    /// The tunnels cannot be read.
    #[error("cannot read the tunnels of {store}; the log says why")]
    Tunnels {
        /// Data folder or URL of the database.
        store: String,
    },
}

fn what_to_do(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => "another program uses the port: stop it or choose another",
        ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE: set \
             AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or grant it to the \
             program (`sudo setcap cap_net_bind_service=+ep /usr/bin/podtap`), or choose a higher \
             port"
        }
        ErrorKind::AddrNotAvailable => "this machine does not have that address",
        _ => "choose another address",
    }
}
