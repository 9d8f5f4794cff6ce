//! Checks the local service at each address of its
//! name, and looks for it elsewhere if it is not there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use podtap_agent::Target;
use podtap_podio::reach::is_localhost;
use tokio::net::lookup_host;
use url::{Host, Url};

use super::finding::LinkFinding;
use super::reach::{self, ReachAttempt};
use super::settings::presentable;
use super::walk::LinkResult;

/// Docker's name for the machine that a container runs on.
const DOCKERS_HOST: &str = "host.docker.internal";

/// The names for it in Docker and in Podman.
const HOSTS_OF_CONTAINERS: [&str; 2] = [DOCKERS_HOST, "host.containers.internal"];

/// The service's port on the machine that this container runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    /// This container has no name for that machine.
    Unnamed,
    /// The machine has this name, but nothing listens there.
    Closed(&'static str),
    /// A service accepts connections there.
    Listens(&'static str),
}

/// The service to check.
pub(super) struct ServiceQuestion {
    pub(super) target: Target,
    /// Whether Podtap runs in a container.
    pub(super) in_container: bool,
}

/// Checks whether the local service accepts connections.
pub(super) async fn service(asked: Option<ServiceQuestion>) -> LinkResult<()> {
    let Some(ServiceQuestion {
        target,
        in_container,
    }) = asked
    else {
        return Err(LinkFinding::new_skipped(
            "no local service given: add --forward-to 3000",
        ));
    };
    let Some(url) = target.url() else {
        return Err(LinkFinding::new_skipped("a command is run for each event"));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let name = host.trim_matches(['[', ']']).to_owned();
    let Ok(addresses) = lookup_host((name, port)).await else {
        return Err(LinkFinding::new_broken(
            format!("{host} cannot be looked up"),
            "check the host in --forward-to; for a service on this machine, the port is enough",
        ));
    };
    let addresses = both_versions(addresses.collect(), is_this_machine(&target), port);
    let tried = reach::try_all(&addresses).await;
    // If the URL has an IP address, only that address counts.
    let is_meant = |tried: &&ReachAttempt| match url.host() {
        Some(Host::Ipv4(ip)) => tried.address.ip() == ip,
        Some(Host::Ipv6(ip)) => tried.address.ip() == ip,
        _ => true,
    };
    let meant: Vec<_> = tried.iter().filter(is_meant).cloned().collect();
    let is_elsewhere = in_container && is_this_machine(&target);
    let outside = if is_elsewhere && !tried.iter().any(|tried| tried.outcome.is_ok()) {
        Some(look_outside(port).await)
    } else {
        None
    };
    judge(&target, &meant, &tried, outside.as_ref()).map(|finding| (finding, ()))
}

/// Looks for the service on the machine that this container runs on.
async fn look_outside(port: u16) -> Outside {
    let mut found = Outside::Unnamed;
    for name in HOSTS_OF_CONTAINERS {
        let Ok(addresses) = lookup_host((name, port)).await else {
            continue;
        };
        let tried = reach::try_all(&addresses.collect::<Vec<_>>()).await;
        let listens = |tried: &ReachAttempt| matches!(&tried.outcome, Ok(open) if !open.is_closed);
        if tried.iter().any(listens) {
            return Outside::Listens(name);
        }
        found = Outside::Closed(name);
    }
    found
}

fn is_this_machine(target: &Target) -> bool {
    match target.url().and_then(Url::host) {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    }
}

/// Adds both IP versions for a service on this machine:
/// a service on one explains a failure on the other.
fn both_versions(mut found: Vec<SocketAddr>, is_here: bool, port: u16) -> Vec<SocketAddr> {
    if is_here {
        let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        found.extend(own.map(|ip| SocketAddr::new(ip, port)));
    }
    let mut seen = Vec::new();
    found.retain(|address| {
        let is_new = !seen.contains(address);
        seen.push(*address);
        is_new
    });
    found
}

/// Judges the attempts: those at the service's addresses, and all. Pure.
fn judge(
    target: &Target,
    meant: &[ReachAttempt],
    all: &[ReachAttempt],
    outside: Option<&Outside>,
) -> Result<LinkFinding, LinkFinding> {
    let name = presentable(&target.to_string());
    let open = |tried: &&ReachAttempt| matches!(&tried.outcome, Ok(open) if !open.is_closed);
    let listens = |tried: &&ReachAttempt| tried.outcome.is_ok();
    if let Some(found) = meant.iter().find(open) {
        let others = meant.iter().filter(|other| other.outcome.is_err());
        let without: Vec<_> = others.map(|other| other.address.to_string()).collect();
        let detail = format!("{name}: {} accepts connections", found.address);
        return Ok(LinkFinding::good(if without.is_empty() {
            detail
        } else {
            format!("{detail} ({} does not)", without.join(", "))
        }));
    }
    if let Some(found) = meant.iter().find(listens) {
        return Err(LinkFinding::new_broken(
            format!(
                "{name}: {} accepts connections and closes them immediately",
                found.address
            ),
            "the service behind this port is not up: a container's port is open even if nothing in \
             the container listens; check the log of the service",
        ));
    }
    let detail = format!("{name}: {}", reach::failures(meant));
    let fix = if let Some(found) = all.iter().find(listens) {
        format!(
            "a service listens at {}: use --forward-to {}",
            found.address,
            reachable(target, found.address)
        )
    } else if let Some(outside) = outside {
        outside.fix(target)
    } else {
        "start the service, or set its port with --forward-to; events wait until it is up"
            .to_owned()
    };
    Err(LinkFinding::new_broken(detail, fix))
}

impl Outside {
    /// Returns how to reach a service on that machine.
    fn fix(&self, target: &Target) -> String {
        match self {
            Self::Listens(name) => format!(
                "the service runs outside of this container: use --forward-to {}",
                service_on(target, name)
            ),
            Self::Closed(name) => format!(
                "start the service; if it runs outside of this container, let it listen on 0.0.0.0 \
                 instead of its localhost, and use --forward-to {}",
                service_on(target, name)
            ),
            Self::Unnamed => format!(
                "start the service; if it runs outside of this container, which has a localhost of \
                 its own, use --forward-to {} (Linux: run the container with --add-host \
                 {DOCKERS_HOST}:host-gateway)",
                service_on(target, DOCKERS_HOST)
            ),
        }
    }
}

/// Returns the target's URL with this host name.
fn service_on(target: &Target, name: &str) -> String {
    let Some(mut url) = target.url().cloned() else {
        return target.to_string();
    };
    // These names are valid hosts.
    let _ = url.set_host(Some(name));
    presentable(url.as_str()).trim_end_matches('/').to_owned()
}

/// Returns the target's URL with this address.
fn reachable(target: &Target, address: SocketAddr) -> String {
    let Some(mut url) = target.url().cloned() else {
        return target.to_string();
    };
    // An IP address is a valid host.
    let _ = url.set_ip_host(address.ip());
    presentable(url.as_str()).trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::reach::Open;
    use super::*;

    fn reach_attempt(address: &str, outcome: Result<bool, &str>) -> ReachAttempt {
        let open = |is_closed| Open {
            took: Duration::from_millis(1),
            is_closed,
        };
        ReachAttempt {
            address: address.parse().unwrap(),
            outcome: outcome.map(open).map_err(str::to_owned),
        }
    }

    fn judge_service(
        target: &str,
        all: &[ReachAttempt],
        outside: Option<Outside>,
    ) -> (bool, String, String) {
        let target: Target = target.parse().unwrap();
        let meant: Vec<_> = match target.url().and_then(Url::host) {
            Some(Host::Ipv4(_)) => all
                .iter()
                .filter(|t| t.address.is_ipv4())
                .cloned()
                .collect(),
            _ => all.to_vec(),
        };
        match judge(&target, &meant, all, outside.as_ref()) {
            Ok(found) => (true, found.detail, String::new()),
            Err(found) => (false, found.detail, found.fix.unwrap_or_default()),
        }
    }

    #[test]
    fn a_service_is_found_on_either_ip_version_and_told_where_it_is() {
        let (v4, v6) = ("127.0.0.1:3000", "[::1]:3000");
        let only_v6 = [
            reach_attempt(v4, Err("connection refused")),
            reach_attempt(v6, Ok(false)),
        ];
        let (works, detail, _) = judge_service("3000", &only_v6, None);
        assert!(
            works && detail.contains("[::1]:3000 accepts connections (127.0.0.1:3000 does not)")
        );

        let (works, _, fix) = judge_service("http://127.0.0.1:3000/x", &only_v6, None);
        assert!(
            !works && fix.contains("--forward-to http://[::1]:3000/x"),
            "{fix}"
        );
    }

    #[test]
    fn a_service_that_is_away_is_looked_for_where_it_may_be() {
        let refused = [
            reach_attempt("127.0.0.1:3000", Err("connection refused")),
            reach_attempt("[::1]:3000", Err("connection refused")),
        ];
        let (works, detail, fix) = judge_service("3000", &refused, None);
        assert!(
            !works && detail.contains("127.0.0.1:3000: connection refused"),
            "{detail}"
        );
        assert!(fix.starts_with("start the service"), "{fix}");
        for (outside, words) in [
            (Outside::Unnamed, "--add-host host.docker.internal"),
            (Outside::Closed(DOCKERS_HOST), "listen on 0.0.0.0"),
            (Outside::Listens(DOCKERS_HOST), "runs outside"),
        ] {
            let (_, _, fix) = judge_service("3000", &refused, Some(outside));
            let there = "--forward-to http://host.docker.internal:3000";
            assert!(fix.contains(there) && fix.contains(words), "{fix}");
        }

        let empty = [reach_attempt("127.0.0.1:3000", Ok(true))];
        let (works, detail, _) = judge_service("3000", &empty, None);
        assert!(
            !works && detail.contains("closes them immediately"),
            "{detail}"
        );
    }
}
