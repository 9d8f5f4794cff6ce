//! The relay inside this process, for `listen` without `--relay` and for the demo: the real one, on
//! loopback, with its own folder and a token that nobody sees.

mod port;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use podtap_agent::LinkConfig;
use podtap_relay::{Bound, Config, Error, Limits, Relay};
use podtap_wire::TunnelName;
use url::Url;

use super::relay::{bind, cannot_start};
use crate::failure::Failure;

/// Who owns the tunnels of a relay inside this process.
const OWNER: &str = "local";

/// A relay of this process, bound, and the link to it.
pub(crate) struct Embedded {
    pub(crate) relay: Bound,
    pub(crate) link: LinkConfig,
}

impl Embedded {
    /// Binds one at `listen`, else on the port that the folder's relay had before or, where that is
    /// taken, on another of the usual ones; never on `reserved`, the local service's.
    pub(crate) async fn start(
        dir: PathBuf,
        listen: Option<SocketAddr>,
        reserved: Option<u16>,
        tunnel: TunnelName,
    ) -> Result<Self, Failure> {
        if let (Some(listen), Some(reserved)) = (listen, reserved)
            && listen.port() == reserved
        {
            return Err(
                Failure::usage("the relay cannot take the port of the local service")
                    .fact("port", reserved.to_string())
                    .hint("give --listen another port, or leave it out"),
            );
        }
        let relay = match listen {
            Some(listen) => bind(config(&dir, listen)).await?,
            None => bind_any(&dir, reserved).await?,
        };
        port::remember(&dir, relay.local_addr().port());
        let failed = |error: podtap_relay::tunnel::Error| {
            Failure::because("the relay's tokens cannot be changed", &error)
        };
        // Only this process may use it: a token of an earlier run is of no use to anybody.
        let tokens = relay.tokens().map_err(failed)?;
        tokens.revoke(OWNER, false).await.map_err(failed)?;
        let token = tokens.create(OWNER).await.map_err(failed)?;
        let url = format!("http://{}", relay.local_addr());
        let url: Url = url
            .parse()
            .map_err(|error: url::ParseError| Failure::because("no URL for the relay", &error))?;
        Ok(Self {
            link: LinkConfig::new(url, token.reveal().into(), tunnel),
            relay,
        })
    }
}

/// Nobody has to be kept from taking more than a share of a relay of one's own.
fn limits() -> Limits {
    /// Connections, all of which may come from this machine.
    const CONNECTIONS: usize = 512;
    Limits {
        max_rate: None,
        max_rate_per_peer: None,
        max_connections: CONNECTIONS,
        max_connections_per_peer: Some(CONNECTIONS),
        max_sessions: 16,
        ..Limits::default()
    }
}

fn config(dir: &Path, listen: SocketAddr) -> Config {
    Config {
        listen,
        limits: limits(),
        ..Config::new(dir.to_owned())
    }
}

/// Binds on the first port that is still free when its turn comes: another process may have been
/// faster.
async fn bind_any(dir: &Path, reserved: Option<u16>) -> Result<Bound, Failure> {
    for listen in port::candidates(dir, reserved) {
        match Relay::bind(config(dir, listen)).await {
            Err(Error::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
            bound => return bound.map_err(|error| cannot_start(&error)),
        }
    }
    bind(config(dir, port::ANY)).await
}
