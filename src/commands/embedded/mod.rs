//! The relay inside this process, for `listen` without `--relay` and for the demo: the real one, on
//! loopback, with its own folder and a token that nobody sees.

mod port;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use podtap_agent::LinkConfig;
use podtap_relay::{BoundRelay, Limits, Relay, RelayConfig, StartError};
use podtap_wire::TunnelName;
use url::Url;

use super::relay::{bind, cannot_start};
use crate::failure::Failure;

/// Who owns the tunnels of a relay inside this process.
const OWNER: &str = "local";

/// Agents that it takes: this one, and another that comes too late.
const SESSIONS: usize = 16;

/// Where a relay of this process is.
#[derive(Debug)]
pub(crate) struct RelayPlace {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Where it listens; `None` for the port that the folder's relay had before or, where that is
    /// taken, another of the usual ones.
    pub(crate) listen: Option<SocketAddr>,
    /// The ports of local services, which it never takes.
    pub(crate) reserved: Vec<u16>,
    /// The URL under which the world reaches it, where something stands before it.
    pub(crate) public_url: Option<Url>,
}

/// A relay of this process, bound, and the link to it.
pub(crate) struct Embedded {
    pub(crate) relay: BoundRelay,
    pub(crate) link: LinkConfig,
}

impl Embedded {
    /// Binds one at its place, and makes the tunnel's link to it.
    pub(crate) async fn start(place: RelayPlace, tunnel: TunnelName) -> Result<Self, Failure> {
        let listen = place.listen;
        if let Some(listen) = listen
            && place.reserved.contains(&listen.port())
        {
            return Err(
                Failure::usage("the relay cannot use the port of the local service")
                    .fact("port", listen.port().to_string())
                    .hint("give --listen another port, or remove it"),
            );
        }
        let relay = match listen {
            Some(listen) => bind(place.config(listen)).await?,
            None => bind_any(&place).await?,
        };
        port::remember(&place.dir, relay.local_addr().port());
        let failed = |error: podtap_relay::tunnel::TokenStoreError| {
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
        let mut link = LinkConfig::new(url, token.reveal().into(), tunnel);
        link.is_own = true;
        Ok(Self { relay, link })
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
        max_sessions: SESSIONS,
        ..Limits::default()
    }
}

impl RelayPlace {
    fn config(&self, listen: SocketAddr) -> RelayConfig {
        RelayConfig {
            listen,
            public_url: self.public_url.clone(),
            limits: match self.public_url {
                None => limits(),
                // Strangers can come here.
                Some(_) => Limits {
                    max_sessions: SESSIONS,
                    ..Limits::default()
                },
            },
            ..RelayConfig::new(self.dir.clone())
        }
    }
}

/// Binds on the first port that is still free when its turn comes: another process may have been
/// faster.
async fn bind_any(place: &RelayPlace) -> Result<BoundRelay, Failure> {
    for listen in port::candidates(&place.dir, &place.reserved) {
        match Relay::bind(place.config(listen)).await {
            Err(StartError::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
            bound => return bound.map_err(|error| cannot_start(&error)),
        }
    }
    bind(place.config(port::ANY)).await
}
