//! Determines the sender's address behind trusted proxies, and the group of peers that
//! share a limit. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use rfc7239::{NodeIdentifier, NodeName};

/// Peers that share a limit: one IPv4 address, or one IPv6 network of 64 bits, which a
/// single customer gets (RFC 6177) and may number freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PeerGroup {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl From<IpAddr> for PeerGroup {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// Proxies that are trusted to report the sender's address.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Returns the loopback addresses of this machine.
    pub(crate) fn loopback() -> Self {
        let v4 = IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8);
        Self(vec![v4, IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST))])
    }

    /// Returns whether this is the address of a trusted proxy.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Returns the sender of a request that came from `peer`. If `peer` is trusted, the sender
    /// is the rightmost address of `X-Forwarded-For` that is not trusted, or else of
    /// `Forwarded`. Everything to the left of that address, or of a value that is not an
    /// address, may be forged by the sender.
    pub(crate) fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut sender = peer;
        for hop in hops(headers).into_iter().rev() {
            let Some(hop) = hop.filter(|_| self.contain(sender)) else {
                break;
            };
            sender = hop.to_canonical();
        }
        sender
    }
}

/// Returns the addresses that proxies recorded, the last proxy's at the end. `None` stands
/// for a value that is not an address.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let texts = |name| {
        let values = headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap_or_default())
    };
    if headers.contains_key(FORWARDED_FOR) {
        let words = texts(FORWARDED_FOR).flat_map(|value| value.split(','));
        return words.map(|word| address(word.trim())).collect();
    }
    let hops = texts(header::FORWARDED).flat_map(rfc7239::parse);
    hops.map(|hop| match hop.ok()?.forwarded_for? {
        NodeIdentifier {
            name: NodeName::Ip(address),
            ..
        } => Some(address),
        _ => None,
    })
    .collect()
}

/// Parses an address, to which some proxies add the port.
fn address(word: &str) -> Option<IpAddr> {
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    let with_port = || word.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(peer: &str, headers: &[(&str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:9::/48"];
        let trusted = trusted.map(|network| network.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let trusted = TrustedProxies::new(trusted.to_vec());
        trusted.sender(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn the_sender_is_the_rightmost_address_that_is_not_trusted() {
        const XFF: &str = "x-forwarded-for";
        for (peer, headers, expected) in [
            ("10.0.0.1", &[(XFF, "192.0.2.7")][..], "192.0.2.7"),
            (
                "10.0.0.1",
                &[(XFF, "1.1.1.1, 192.0.2.7, 10.9.9.9")],
                "192.0.2.7",
            ),
            (
                "10.0.0.1",
                &[(XFF, "1.1.1.1"), (XFF, "192.0.2.7")],
                "192.0.2.7",
            ),
            ("10.0.0.1", &[(XFF, "192.0.2.7:4711")], "192.0.2.7"),
            ("10.0.0.1", &[(XFF, "[2001:db8::1]:4711")], "2001:db8::1"),
            ("2001:db8:9::1", &[(XFF, "2001:db8::1")], "2001:db8::1"),
            ("10.0.0.1", &[(XFF, "::ffff:192.0.2.7")], "192.0.2.7"),
            ("::ffff:10.0.0.1", &[(XFF, "192.0.2.7")], "192.0.2.7"),
            ("10.0.0.1", &[(XFF, "10.0.0.2, 10.0.0.3")], "10.0.0.2"),
            ("10.0.0.1", &[(XFF, "1.1.1.1, unknown")], "10.0.0.1"),
            ("10.0.0.1", &[(XFF, "1.1.1.1, bad, 10.0.0.3")], "10.0.0.3"),
            ("10.0.0.1", &[(XFF, "")], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // Headers from a peer that is not trusted are ignored.
            ("192.0.2.1", &[(XFF, "1.1.1.1")], "192.0.2.1"),
            ("192.0.2.1", &[("forwarded", "for=1.1.1.1")], "192.0.2.1"),
            (
                "10.0.0.1",
                &[("forwarded", "for=1.1.1.1, For=192.0.2.7;proto=https")],
                "192.0.2.7",
            ),
            (
                "10.0.0.1",
                &[("forwarded", "for=\"[2001:db8::1]:80\"")],
                "2001:db8::1",
            ),
            ("10.0.0.1", &[("forwarded", "for=_hidden")], "10.0.0.1"),
            // A proxy that writes `X-Forwarded-For` passes `Forwarded` on as the sender forged it.
            (
                "10.0.0.1",
                &[(XFF, "192.0.2.7"), ("forwarded", "for=1.1.1.1")],
                "192.0.2.7",
            ),
            ("10.0.0.1", &[("x-real-ip", "1.1.1.1")], "10.0.0.1"),
        ] {
            assert_eq!(sender(peer, headers), expected, "{peer} {headers:?}");
        }
    }

    #[test]
    fn this_machine_is_loopback_in_both_families() {
        let trusted = TrustedProxies::loopback();
        for (address, is_trusted) in [("127.0.0.9", true), ("::1", true), ("::2", false)] {
            assert_eq!(trusted.contain(address.parse().unwrap()), is_trusted);
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_limit_and_ipv4_addresses_do_not() {
        let group = |address: &str| PeerGroup::from(address.parse::<IpAddr>().unwrap());
        assert_eq!(group("2001:db8::1"), group("2001:db8:0:0:ffff::2"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        assert_ne!(group("192.0.2.1"), group("192.0.2.2"));
        assert_eq!(group("::ffff:192.0.2.1"), group("192.0.2.1"));
    }
}
