//! Checks the network to the relay: DNS, the proxy, the connection.

use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use podtap_agent::amount;
use podtap_connect::{Connector, Proxy, io_words};
use tokio::net::lookup_host;
use url::{Host, Url};

use super::finding::LinkFinding;
use super::reach::{self, ReachAttempt};
use super::walk::LinkResult;
use crate::config::Settings;

/// Maximum time for a TCP connection, and again for the exchange with a proxy.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// Reported if no relay is set.
const EMBEDDED: &str = "no relay is set, so `podtap listen` runs one that only this machine can \
     call; set --relay or PODTAP_RELAY so that Podio can";

/// A relay and the addresses of its host.
#[derive(Debug, Clone)]
pub(super) struct ResolvedRelay {
    pub(super) url: Url,
    pub(super) proxy: Option<Proxy>,
    addresses: Vec<SocketAddr>,
}

/// Resolves the relay's host name.
pub(super) async fn dns(settings: &Settings) -> LinkResult<ResolvedRelay> {
    let Some(url) = settings.relay().map_err(LinkFinding::of_setting)? else {
        return Err(LinkFinding::new_skipped(EMBEDDED));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let relay = |proxy, addresses| ResolvedRelay {
        url: url.clone(),
        proxy,
        addresses,
    };
    match settings.proxy(&url) {
        Ok(Some(proxy)) => {
            let finding = LinkFinding::good(format!("{host}: looked up by the proxy"));
            return Ok((finding, relay(Some(proxy), Vec::new())));
        }
        Ok(None) => {}
        Err(failure) => {
            let fix = "correct HTTPS_PROXY, http_proxy or ALL_PROXY in the environment";
            return Err(LinkFinding::new_broken(failure.what(), fix));
        }
    }
    let asked = host.trim_matches(['[', ']']).to_owned();
    let found = match lookup_host((asked, port)).await {
        Ok(found) => found.collect::<Vec<_>>(),
        Err(error) => return Err(no_name(&host, &error)),
    };
    if found.is_empty() {
        return Err(no_name(
            &host,
            &std::io::Error::other("it has no IP address"),
        ));
    }
    let detail = match url.host() {
        Some(Host::Domain(_)) => format!("{host} is {}", families(&found)),
        _ => format!("{host} is an address, not a name"),
    };
    Ok((LinkFinding::good(detail), relay(None, found)))
}

fn no_name(host: &str, error: &std::io::Error) -> LinkFinding {
    let why = io_words(error);
    // The text is like "failed to lookup address information: Name or service not known".
    let why = why.rsplit(": ").next().unwrap_or(&why).to_lowercase();
    LinkFinding::new_broken(
        format!("{host} cannot be looked up: {why}"),
        "check the spelling of --relay, and whether this machine is online",
    )
}

/// Describes the addresses by IP version.
fn families(addresses: &[SocketAddr]) -> String {
    let of = |is_v4: bool| {
        let own = addresses
            .iter()
            .filter(|address| address.is_ipv4() == is_v4);
        let own: Vec<_> = own.map(|address| address.ip().to_string()).collect();
        own.join(", ")
    };
    match (of(true), of(false)) {
        (v4, v6) if v6.is_empty() => format!("{v4} (no IPv6 address)"),
        (v4, v6) if v4.is_empty() => format!("{v6} (no IPv4 address)"),
        (v4, v6) => format!("{v4} and {v6}"),
    }
}

/// Checks the proxy and that it connects to the relay.
pub(super) async fn proxy(relay: Option<ResolvedRelay>) -> LinkResult<ResolvedRelay> {
    let Some(relay) = relay else {
        return Err(LinkFinding::new_skipped(EMBEDDED));
    };
    let Some(proxy) = relay.proxy.clone() else {
        return Ok((
            LinkFinding::good("none; the relay is called directly"),
            relay,
        ));
    };
    let name = proxy.to_string();
    let connector = Connector::new(Some(proxy), CONNECT_LIMIT);
    let connected = match uri(&relay.url) {
        Some(uri) => connector.connect(uri).await.map_err(|e| e.to_string()),
        None => Err("the relay's URL cannot be used with a proxy".to_owned()),
    };
    match connected {
        Ok(_) => {
            let detail = format!("{name} leads to the relay");
            Ok((LinkFinding::good(detail), relay))
        }
        Err(why) => Err(LinkFinding::new_broken(
            why,
            format!(
                "check HTTPS_PROXY, http_proxy and ALL_PROXY; if the relay can be reached without \
                 {name}, add its host to NO_PROXY"
            ),
        )),
    }
}

/// Returns a relay's URL with an explicit port, which a proxy needs.
fn uri(url: &Url) -> Option<Uri> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    Uri::builder()
        .scheme(url.scheme())
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build()
        .ok()
}

/// Connects to the relay's address.
pub(super) async fn tcp(relay: Option<ResolvedRelay>) -> LinkResult<ResolvedRelay> {
    let Some(relay) = relay else {
        return Err(LinkFinding::new_skipped(EMBEDDED));
    };
    if relay.proxy.is_some() {
        return Ok((LinkFinding::good("the proxy makes it"), relay));
    }
    let tried = reach::try_all(&relay.addresses).await;
    let port = relay.url.port_or_known_default().unwrap_or_default();
    judge(&tried, port).map(|finding| (finding, relay))
}

/// Judges the attempts to connect to a relay. Pure.
fn judge(tried: &[ReachAttempt], port: u16) -> Result<LinkFinding, LinkFinding> {
    let works = |tried: &&ReachAttempt| tried.outcome.is_ok();
    let Some(best) = tried.iter().find(works) else {
        return Err(LinkFinding::new_broken(
            reach::failures(tried),
            format!(
                "check the relay's host and port (this one is {port}) and whether the relay runs; \
                 a firewall may also refuse the connection"
            ),
        ));
    };
    let took = best
        .outcome
        .as_ref()
        .map_or(Duration::ZERO, |open| open.took);
    let took = amount::duration(took.max(Duration::from_millis(1)));
    let detail = format!("{} answers within {took}", best.address);
    let dead = tried
        .iter()
        .any(|other| other.outcome.is_err() && other.address.is_ipv4() != best.address.is_ipv4());
    Ok(if dead {
        LinkFinding::doubtful(
            format!("{detail}; {}", reach::failures(tried)),
            "one IP version does not work from this machine; the other is used",
        )
    } else {
        LinkFinding::good(detail)
    })
}

/// Returns why the links of a relay are skipped if none is set.
pub(super) fn no_relay() -> LinkFinding {
    LinkFinding::new_skipped(EMBEDDED)
}

#[cfg(test)]
mod tests {
    use super::super::finding::LinkMark;
    use super::super::reach::Open;
    use super::*;

    fn reach_attempt(address: &str, works: bool) -> ReachAttempt {
        let open = Open {
            took: Duration::from_millis(7),
            is_closed: false,
        };
        ReachAttempt {
            address: address.parse().unwrap(),
            outcome: if works {
                Ok(open)
            } else {
                Err("connection refused".to_owned())
            },
        }
    }

    #[test]
    fn one_address_that_works_is_enough_and_a_dead_ip_version_is_told() {
        let (v4, v6) = ("192.0.2.1:443", "[2001:db8::1]:443");
        for (v4_works, v6_works, expected) in [
            (true, true, LinkMark::Good),
            (true, false, LinkMark::Doubtful),
            (false, true, LinkMark::Doubtful),
            (false, false, LinkMark::Broken),
        ] {
            let found = judge(
                &[reach_attempt(v6, v6_works), reach_attempt(v4, v4_works)],
                443,
            );
            let (Ok(found) | Err(found)) = found;
            assert_eq!(found.mark, expected, "{}", found.detail);
            let is_told = found.detail.contains("connection refused");
            assert_eq!(is_told, expected != LinkMark::Good, "{}", found.detail);
        }
    }

    #[test]
    fn addresses_are_told_by_ip_version() {
        let of = |all: &[&str]| {
            let all: Vec<_> = all.iter().map(|text| text.parse().unwrap()).collect();
            families(&all)
        };
        assert_eq!(of(&["192.0.2.1:1", "[::1]:1"]), "192.0.2.1 and ::1");
        assert_eq!(of(&["192.0.2.1:1"]), "192.0.2.1 (no IPv6 address)");
        assert_eq!(of(&["[::1]:1"]), "::1 (no IPv4 address)");
    }
}
