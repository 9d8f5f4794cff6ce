//! Checks whether Podio would call a URL, before a hook is created for it. Pure.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::catalog::EventType;
use crate::reach::is_private;

/// The reason why Podio cannot call a hook's URL (podio.md 1.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// The text is not an absolute `http` or `https` URL.
    #[error("`{0}` is not an http or https URL")]
    Malformed(String),
    /// Podio calls only ports 80 and 443.
    #[error("Podio calls only ports 80 and 443, not {0}")]
    Port(u16),
    /// The host is a loopback address or name; for Podio, that is Podio's own machine.
    #[error("`{0}` is this machine, which Podio cannot reach")]
    ThisMachine(String),
    /// The host is an address of a private network.
    #[error("{0} is a private address, which Podio cannot reach")]
    PrivateAddress(IpAddr),
    /// The host is an address that no host in the internet has.
    #[error("{0} is a reserved address, which Podio cannot reach")]
    ReservedAddress(IpAddr),
    /// The host is a name that public DNS does not resolve.
    #[error("`{0}` is a name of a private network, which Podio cannot reach")]
    PrivateName(String),
    /// The URL has a user or a password, which everyone who sees the hook could read.
    #[error("the URL contains a user or a password, and Podio may not send them")]
    UserInfo,
    /// The URL has a part after `#`, which no client sends.
    #[error("the URL contains a part after `#`, which is never sent")]
    Fragment,
}

impl Uncallable {
    /// Returns whether a stand-in for Podio on this machine cannot call the URL either.
    pub const fn is_for_nobody(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::UserInfo | Self::Fragment)
    }

    /// Returns how to fix the URL.
    pub const fn cure(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "write it as https://HOST/PATH",
            Self::Port(_) => {
                "put a proxy that listens on port 443 in front (see README), and use its URL"
            }
            Self::ThisMachine(_)
            | Self::PrivateAddress(_)
            | Self::ReservedAddress(_)
            | Self::PrivateName(_) => {
                "use the URL of a relay on a public host: --relay URL, or --public-url behind a \
                 quick tunnel"
            }
            Self::UserInfo => "put the secret into the path",
            Self::Fragment => "remove it",
        }
    }
}

/// Checks a URL for a hook. Names are not looked up: where a public name leads is up to its owner.
///
/// # Errors
/// Returns the first reason why Podio cannot call the URL.
pub fn check_hook_url(text: &str) -> Result<(), Uncallable> {
    let malformed = || Uncallable::Malformed(text.to_owned());
    // The parser removes blanks around the URL, but Podio would get them.
    if text
        .chars()
        .any(|letter| letter.is_whitespace() || letter.is_control())
    {
        return Err(malformed());
    }
    let url = Url::parse(text).map_err(|_| malformed())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(malformed());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Uncallable::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(Uncallable::Fragment);
    }
    match url.host().ok_or_else(malformed)? {
        Host::Domain(name) => check_name(name)?,
        Host::Ipv4(address) => check_address(IpAddr::V4(address))?,
        Host::Ipv6(address) => check_address(IpAddr::V6(address))?,
    }
    match url.port_or_known_default() {
        Some(80 | 443) | None => Ok(()),
        Some(port) => Err(Uncallable::Port(port)),
    }
}

/// Returns the parameters of the URL's query that have the name of one
/// of Podio's own. Podio moves the query into the body (podio.md 1.2),
/// where a receiver may confuse the two. Each name is returned once.
pub fn parameters_of_podio(url: &str) -> Vec<String> {
    let Ok(url) = Url::parse(url) else {
        return Vec::new();
    };
    let specs = EventType::ALL
        .iter()
        .flat_map(|event| event.spec().parameters);
    let own: BTreeSet<&str> = specs
        .map(|spec| spec.name)
        .chain(["type", "hook_id"])
        .collect();
    let names: BTreeSet<String> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    let taken = names.into_iter().filter(|name| own.contains(name.as_str()));
    taken.collect()
}

/// Refuses names of private networks: RFC 6761, 6762, 8375,
/// 7686, ICANN's `internal`, and names without a dot.
fn check_name(name: &str) -> Result<(), Uncallable> {
    let bare = name.trim_end_matches('.');
    let last = bare.rsplit('.').next().unwrap_or_default();
    match last {
        "localhost" | "local" => Err(Uncallable::ThisMachine(name.to_owned())),
        "test" | "invalid" | "internal" | "lan" | "onion" => {
            Err(Uncallable::PrivateName(name.to_owned()))
        }
        _ if last == bare || bare == "home.arpa" || bare.ends_with(".home.arpa") => {
            Err(Uncallable::PrivateName(name.to_owned()))
        }
        _ => Ok(()),
    }
}

fn check_address(address: IpAddr) -> Result<(), Uncallable> {
    let address = match address.to_canonical() {
        IpAddr::V6(address) => embedded_ipv4(address).map_or(IpAddr::V6(address), IpAddr::V4),
        address @ IpAddr::V4(_) => address,
    };
    if address.is_loopback() || address.is_unspecified() {
        return Err(Uncallable::ThisMachine(address.to_string()));
    }
    if is_private(address) {
        return Err(Uncallable::PrivateAddress(address));
    }
    let is_reserved = match address {
        IpAddr::V4(address) => is_reserved_v4(address),
        IpAddr::V6(address) => is_reserved_v6(address),
    };
    if is_reserved {
        return Err(Uncallable::ReservedAddress(address));
    }
    Ok(())
}

/// Returns whether an address is for this network, documentation,
/// benchmarks, multicast or future use (RFC 6890).
fn is_reserved_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let benchmark = first == 198 && (18..20).contains(&second);
    let protocol = (first, second, third) == (192, 0, 0);
    first == 0 || first >= 224 || address.is_documentation() || benchmark || protocol
}

/// Returns the IPv4 address to which a translator or a tunnel leads: NAT64 (RFC 6052), 6to4
/// (RFC 3056) and the deprecated IPv4-compatible form (RFC 4291, section 2.5.5.1).
fn embedded_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
        | [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
        | [0x20, 0x02, a, b, c, d, ..] => Some(Ipv4Addr::new(a, b, c, d)),
        _ => None,
    }
}

/// Returns whether an address is outside of the block of global unicast addresses,
/// `2000::/3` (RFC 4291), or for documentation (RFC 3849, RFC 9637) or Teredo (RFC 4380).
fn is_reserved_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = first & 0xe000 == 0x2000;
    let is_documentation =
        (first, second) == (0x2001, 0x0db8) || (first, second & 0xf000) == (0x3fff, 0);
    !is_global || is_documentation || (first, second) == (0x2001, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_podio_would_not_reach_is_refused_with_the_reason() {
        let this = |text: &str| Err(Uncallable::ThisMachine(text.to_owned()));
        let private = |text: &str| Err(Uncallable::PrivateAddress(text.parse().unwrap()));
        let reserved = |text: &str| Err(Uncallable::ReservedAddress(text.parse().unwrap()));
        let name = |text: &str| Err(Uncallable::PrivateName(text.to_owned()));
        let malformed = |text: &str| Err(Uncallable::Malformed(text.to_owned()));
        for (url, verdict) in [
            ("https://relay.example.com/KEY/hook", Ok(())),
            ("http://relay.example.com", Ok(())),
            ("https://8.8.8.8/", Ok(())),
            ("https://[2606:4700::1111]/", Ok(())),
            ("https://relay.example.com/h?env=dev", Ok(())),
            (
                "https://relay.example.com:8443/",
                Err(Uncallable::Port(8_443)),
            ),
            ("http://relay.example.com:443/", Ok(())),
            ("http://localhost/", this("localhost")),
            ("http://app.localhost./", this("app.localhost.")),
            ("http://127.0.0.1:4000/", this("127.0.0.1")),
            ("http://2130706433/", this("127.0.0.1")),
            ("http://[::1]/", this("::1")),
            ("http://[::ffff:127.0.0.1]/", this("127.0.0.1")),
            ("http://[64:ff9b::7f00:1]/", this("127.0.0.1")),
            ("http://[64:ff9b::8.8.8.8]/", Ok(())),
            ("http://[2002:7f00:1::]/", this("127.0.0.1")),
            ("http://[2002:a01:203::9]/", private("10.1.2.3")),
            ("http://[::127.0.0.1]/", this("127.0.0.1")),
            ("http://[::192.168.1.1]/", private("192.168.1.1")),
            ("http://[64:ff9b:1::1]/", reserved("64:ff9b:1::1")),
            ("http://[2001::1]/", reserved("2001::1")),
            ("http://[3fff:1000::1]/", Ok(())),
            ("http://[3fff:123::1]/", reserved("3fff:123::1")),
            ("http://[4000::1]/", reserved("4000::1")),
            ("http://0.0.0.0/", this("0.0.0.0")),
            ("http://192.168.1.5/", private("192.168.1.5")),
            ("http://10.0.0.1/", private("10.0.0.1")),
            ("http://169.254.1.1/", private("169.254.1.1")),
            ("http://100.64.0.1/", private("100.64.0.1")),
            ("http://[fd00::1]/", private("fd00::1")),
            ("http://[fec0::1]/", private("fec0::1")),
            ("http://192.0.2.7/", reserved("192.0.2.7")),
            ("http://255.255.255.255/", reserved("255.255.255.255")),
            ("http://224.0.0.1/", reserved("224.0.0.1")),
            ("http://[2001:db8::1]/", reserved("2001:db8::1")),
            ("http://intranet/hook", name("intranet")),
            ("http://crm.internal/", name("crm.internal")),
            ("http://pi.home.arpa/", name("pi.home.arpa")),
            (
                "https://ada:secret@relay.example.com/",
                Err(Uncallable::UserInfo),
            ),
            ("https://ada@relay.example.com/", Err(Uncallable::UserInfo)),
            ("https://relay.example.com/#top", Err(Uncallable::Fragment)),
            ("relay.example.com", malformed("relay.example.com")),
            (
                "ftp://relay.example.com",
                malformed("ftp://relay.example.com"),
            ),
            (
                " https://relay.example.com",
                malformed(" https://relay.example.com"),
            ),
            ("", malformed("")),
        ] {
            assert_eq!(check_hook_url(url), verdict, "{url}");
        }
    }

    #[test]
    fn a_query_that_names_podios_own_parameters_is_found() {
        let taken = parameters_of_podio("https://a.example.com/h?env=dev&type=x&item_id=1&type=y");
        assert_eq!(taken, ["item_id", "type"]);
        assert!(parameters_of_podio("https://a.example.com/h?env=dev").is_empty());
    }
}
