//! Runs a relay inside this process, for the demo and for `listen` without `--relay`:
//! the real relay, on loopback, with its own folder and a token that is never shown.

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

/// The owner of the tunnels of a relay inside this process.
const OWNER: &str = "local";

/// Maximum number of sessions: enough for this agent and for one that comes too late.
const SESSIONS: usize = 16;

/// The place of a relay inside this process.
#[derive(Debug)]
pub(crate) struct RelayPlace {
    /// The relay's folder.
    pub(crate) dir: PathBuf,
    /// The address to listen on. `None` means the port of the last run in
    /// this folder, or another of the usual ones if that port is taken.
    pub(crate) listen: Option<SocketAddr>,
    /// Ports of local services, which the relay never uses.
    pub(crate) reserved: Vec<u16>,
    /// The relay's public URL, if a proxy is in front of it.
    pub(crate) public_url: Option<Url>,
}

/// A bound relay of this process, and the link to it.
pub(crate) struct EmbeddedRelay {
    pub(crate) relay: BoundRelay,
    pub(crate) link: LinkConfig,
}

impl EmbeddedRelay {
    /// Binds a relay, and creates the tunnel's link to it.
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
        // Only this process may use the relay, so tokens of earlier runs are revoked.
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

/// Returns the limits of a private relay, which need not be shared fairly between senders.
fn limits() -> Limits {
    /// Maximum number of connections, all of which may come from this machine.
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
                // With a public URL, strangers can reach this relay.
                Some(_) => Limits {
                    max_sessions: SESSIONS,
                    ..Limits::default()
                },
            },
            ..RelayConfig::new(self.dir.clone())
        }
    }
}

/// Binds the first candidate that is free: another process may have taken a port meanwhile.
async fn bind_any(place: &RelayPlace) -> Result<BoundRelay, Failure> {
    for listen in port::candidates(&place.dir, &place.reserved) {
        match Relay::bind(place.config(listen)).await {
            Err(StartError::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
            bound => return bound.map_err(|error| cannot_start(&error)),
        }
    }
    bind(place.config(port::ANY)).await
}
