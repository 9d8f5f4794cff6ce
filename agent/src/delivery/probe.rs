//! A local service that is away: probe until it can be reached again.

use std::time::Duration;

use tokio::net::TcpStream;
use url::Host;

use crate::config::Target;

/// Time for one probe: a service on this machine answers in well under a millisecond.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns once the local service takes connections; `every` is the pause before each probe.
pub(super) async fn until_reachable(target: &Target, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let probe = tokio::time::timeout(PROBE_TIMEOUT, connect(target));
        if matches!(probe.await, Ok(Ok(_))) {
            return;
        }
    }
}

/// Connects to any of the addresses that the name has.
async fn connect(target: &Target) -> std::io::Result<TcpStream> {
    let port = target.url().port_or_known_default().unwrap_or_default();
    match target.url().host() {
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
        None => Err(std::io::ErrorKind::AddrNotAvailable.into()),
    }
}
