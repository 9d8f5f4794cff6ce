//! Determines how near a host is: connections without encryption, or without a
//! certificate of an authority, must stay on this machine or in a private network.

use std::net::IpAddr;

use url::{Host, Url};

/// Returns whether a URL is on this machine, so that secrets may be sent over plain `http`.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Returns whether a lower-case name always means this machine (RFC 6761, section 6.3).
pub fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Returns whether an address is of this machine or of a network that the internet
/// does not reach: RFC 1918, shared with a provider (RFC 6598), link-local (RFC 3927,
/// RFC 4291), unique local (RFC 4193), and the older site-local addresses (RFC 3879).
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            let [first, ..] = address.segments();
            let is_site_local = first & 0xffc0 == 0xfec0;
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || is_site_local
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_named_by_loopback_alone() {
        for (url, expected) in [
            ("http://localhost:3000", true),
            ("http://a.localhost", true),
            ("http://127.9.9.9/x", true),
            ("http://[::1]", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("http://0.0.0.0", false),
            ("http://[fe80::1]", false),
        ] {
            assert_eq!(is_this_machine(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn private_networks_are_those_that_the_internet_does_not_reach() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("8.8.8.8", false),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("::ffff:192.168.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }
}
