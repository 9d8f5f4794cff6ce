//! The relay inside this process, for `listen` without `--relay` and for the demo: the real one, on
//! loopback, with its own folder and a token that nobody sees.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use podtap_agent::LinkConfig;
use podtap_relay::{Bound, Config};
use podtap_wire::TunnelName;
use url::Url;

use super::relay::bind;
use crate::failure::Failure;

/// Who owns the tunnels of a relay inside this process.
const OWNER: &str = "local";

/// The port it takes so that the public URL stays the same, and how many after it are tried.
const PORTS: std::ops::Range<u16> = 8080..8100;

/// A relay of this process, bound, and the link to it.
pub(crate) struct Embedded {
    pub(crate) relay: Bound,
    pub(crate) link: LinkConfig,
}

impl Embedded {
    /// Binds one at `listen`, or on the usual port, or on one of the next where that is taken.
    pub(crate) async fn start(
        dir: PathBuf,
        listen: Option<SocketAddr>,
        tunnel: TunnelName,
    ) -> Result<Self, Failure> {
        let free = || {
            PORTS
                .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
                .find(is_free)
        };
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listen = listen.or_else(free).unwrap_or(any_port);
        let relay = bind(Config {
            listen,
            ..Config::new(dir)
        })
        .await?;
        let failed = |error: podtap_relay::tunnel::Error| {
            Failure::because("the relay's tokens cannot be changed", &error)
        };
        // Only this process may use it: a token of an earlier run is of no use to anybody.
        let tokens = relay.tokens().map_err(failed)?;
        tokens.revoke(OWNER).map_err(failed)?;
        let token = tokens.create(OWNER).map_err(failed)?;
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

fn is_free(address: &SocketAddr) -> bool {
    std::net::TcpListener::bind(address).is_ok()
}
