//! Whether Podio would call a URL at all: checked before a hook is made on it. Pure.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

/// Why Podio would never reach a hook's URL (podio.md 1.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// It is no absolute `http` or `https` URL.
    #[error("`{0}` is not an http or https URL")]
    Malformed(String),
    /// Podio calls 80 and 443 only.
    #[error("Podio calls ports 80 and 443 only, not {0}")]
    Port(u16),
    /// It names this machine, as seen from Podio: its own.
    #[error("`{0}` is this machine, which Podio cannot reach")]
    ThisMachine(String),
    /// It names an address that is not routed in the internet.
    #[error("{0} is a private address, which Podio cannot reach")]
    PrivateAddress(IpAddr),
}

/// Checks a URL for a hook. Names are not looked up: what a public name leads to is its owner's
/// affair.
///
/// # Errors
/// With the first reason for which Podio would not reach it.
pub fn check_hook_url(text: &str) -> Result<(), Uncallable> {
    let malformed = || Uncallable::Malformed(text.to_owned());
    let url = Url::parse(text).map_err(|_| malformed())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(malformed());
    }
    let address = match url.host().ok_or_else(malformed)? {
        Host::Domain(name) if is_local_name(name) => {
            return Err(Uncallable::ThisMachine(name.to_owned()));
        }
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    match address.map(|address| address.to_canonical()) {
        Some(address) if address.is_loopback() || address.is_unspecified() => {
            return Err(Uncallable::ThisMachine(address.to_string()));
        }
        Some(address) if is_private(address) => return Err(Uncallable::PrivateAddress(address)),
        _ => {}
    }
    match url.port_or_known_default() {
        Some(80 | 443) | None => Ok(()),
        Some(port) => Err(Uncallable::Port(port)),
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    matches!(name.rsplit('.').next(), Some("localhost" | "local"))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            // 100.64.0.0/10: between a provider and its customers (RFC 6598).
            let shared = first == 100 && (64..128).contains(&second);
            address.is_private() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_podio_would_not_reach_is_refused_with_the_reason() {
        let this = |text: &str| Err(Uncallable::ThisMachine(text.to_owned()));
        let private = |text: &str| Err(Uncallable::PrivateAddress(text.parse().unwrap()));
        for (url, verdict) in [
            ("https://relay.example.com/KEY/hook", Ok(())),
            ("http://relay.example.com", Ok(())),
            ("https://8.8.8.8/", Ok(())),
            (
                "https://relay.example.com:8443/",
                Err(Uncallable::Port(8_443)),
            ),
            ("http://relay.example.com:443/", Ok(())),
            ("http://localhost/", this("localhost")),
            ("http://app.localhost./", this("app.localhost.")),
            ("http://127.0.0.1:4000/", this("127.0.0.1")),
            ("http://[::1]/", this("::1")),
            ("http://[::ffff:127.0.0.1]/", this("127.0.0.1")),
            ("http://0.0.0.0/", this("0.0.0.0")),
            ("http://192.168.1.5/", private("192.168.1.5")),
            ("http://10.0.0.1/", private("10.0.0.1")),
            ("http://169.254.1.1/", private("169.254.1.1")),
            ("http://100.64.0.1/", private("100.64.0.1")),
            ("http://[fd00::1]/", private("fd00::1")),
            (
                "relay.example.com",
                Err(Uncallable::Malformed("relay.example.com".to_owned())),
            ),
            (
                "ftp://relay.example.com",
                Err(Uncallable::Malformed("ftp://relay.example.com".to_owned())),
            ),
        ] {
            assert_eq!(check_hook_url(url), verdict, "{url}");
        }
    }
}
