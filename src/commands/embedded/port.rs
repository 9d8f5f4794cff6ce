//! Chooses the port of a relay inside this process: the same for a tunnel at every
//! start, so that its public URL stays, and none that local services usually use.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::path::Path;

/// 7638 spells PODT on a telephone keypad. None of these ports is assigned to a service that is
/// still in use, and all are far from 3000, 5000, 8000 and 8080, where local services listen.
const PORTS: Range<u16> = 7638..7738;

/// The file in a relay's folder that stores its port.
const FILE: &str = "port";

/// Any free port, used if none of the usual ones is free.
pub(super) const ANY: SocketAddr = on_loopback(0);

/// Returns the free addresses for the relay of this folder, best first: its own port of an earlier
/// run, then ports that no relay beside it uses, then any of the usual ones. Excludes `reserved`.
pub(super) fn candidates<'a>(
    dir: &Path,
    reserved: &'a [u16],
) -> impl Iterator<Item = SocketAddr> + use<'a> {
    let others = others(dir);
    let unclaimed = PORTS.filter(move |port| !others.contains(port));
    let ports = read_port(dir).into_iter().chain(unclaimed).chain(PORTS);
    ports
        .filter(move |port| !reserved.contains(port))
        .map(on_loopback)
        .filter(is_free)
}

/// Stores the port for the next start. If that fails,
/// the next run may use another port, which it prints.
pub(super) fn remember(dir: &Path, port: u16) {
    if read_port(dir) == Some(port) {
        return;
    }
    if let Err(error) = podtap_disk::private::write(&dir.join(FILE), format!("{port}\n").as_bytes())
    {
        tracing::debug!(%error, "the relay's port is not remembered");
    }
}

fn read_port(dir: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(dir.join(FILE)).ok()?;
    text.trim().parse().ok().filter(|port| *port != 0)
}

/// Returns the ports of the relays in the folders beside this one.
fn others(dir: &Path) -> BTreeSet<u16> {
    let siblings = dir.parent().and_then(|parent| parent.read_dir().ok());
    let paths = siblings.into_iter().flatten().flatten();
    let others = paths.map(|entry| entry.path()).filter(|path| path != dir);
    others.filter_map(|path| read_port(&path)).collect()
}

const fn on_loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn is_free(address: &SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(dir: &Path, reserved: Option<u16>) -> SocketAddr {
        candidates(dir, reserved.as_slice()).next().unwrap()
    }

    #[test]
    fn a_relay_keeps_its_port_and_leaves_those_of_others_alone() {
        let data = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let dir = data.path().join(name);
            std::fs::create_dir_all(&dir).unwrap();
            dir
        };
        let (crm, shop) = (folder("relay-crm"), folder("relay-shop"));
        let first = choose(&crm, None).port();
        assert!(PORTS.contains(&first), "{first}");
        remember(&crm, first);

        // The other relay's port is avoided even though nothing listens there now.
        let second = choose(&shop, None).port();
        assert!(PORTS.contains(&second) && second > first, "{second}");
        remember(&shop, second);
        assert_eq!(choose(&crm, None).port(), first);
        assert_eq!(choose(&shop, None).port(), second);
    }

    #[test]
    fn a_port_that_is_taken_or_reserved_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let free = choose(dir.path(), None);
        let reserved = choose(dir.path(), Some(free.port())).port();
        assert!(PORTS.contains(&reserved) && reserved != free.port());

        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        remember(dir.path(), taken.local_addr().unwrap().port());
        assert_ne!(choose(dir.path(), None), taken.local_addr().unwrap());
    }
}
