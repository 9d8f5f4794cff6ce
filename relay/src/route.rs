//! Decides which part answers a request, from its target alone. Pure.

use http::Uri;
use podtap_wire::{TunnelKey, TunnelName, manage};

/// The parts of a relay that answer requests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RelayRoute {
    /// A webhook for a tunnel that may exist.
    Ingest {
        key: TunnelKey,
        /// Path and query after the key, byte for byte (invariant 3); begins with `/`.
        path: String,
    },
    /// An agent connects.
    Connect,
    /// An owner manages tunnels.
    Manage(Manage),
    /// Asks whether the process runs.
    Live,
    /// Asks whether the relay accepts webhooks.
    Ready,
    /// Anything else, including a malformed key (invariant 6).
    NotFound,
}

/// What an owner wants to manage. The method says what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Manage {
    /// All tunnels.
    All,
    One(TunnelName),
    /// The key of one tunnel, to be replaced.
    Rotate(TunnelName),
}

impl Manage {
    /// Parses the rest of the path after that of all tunnels. A name has no character that is
    /// escaped in a URL.
    fn of(rest: &str) -> Option<Self> {
        if rest.is_empty() {
            return Some(Self::All);
        }
        let rest = rest.strip_prefix('/')?;
        match rest.split_once('/') {
            None => Some(Self::One(rest.parse().ok()?)),
            Some((name, "rotate")) => Some(Self::Rotate(name.parse().ok()?)),
            Some(_) => None,
        }
    }
}

impl RelayRoute {
    pub(crate) fn of(target: &Uri) -> Self {
        match target.path() {
            "/-/connect" => return Self::Connect,
            "/-/healthz" => return Self::Live,
            "/-/readyz" => return Self::Ready,
            path => {
                if let Some(rest) = path.strip_prefix(manage::TUNNELS_PATH) {
                    return Manage::of(rest).map_or(Self::NotFound, Self::Manage);
                }
            }
        }
        let ingest = || {
            let target = target.path_and_query()?.as_str().strip_prefix('/')?;
            let end = target.find(['/', '?']).unwrap_or(target.len());
            let (key, rest) = target.split_at_checked(end)?;
            let path = if rest.starts_with('/') {
                rest.to_owned()
            } else {
                format!("/{rest}")
            };
            Some(Self::Ingest {
                key: key.parse().ok()?,
                path,
            })
        };
        ingest().unwrap_or(Self::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyy";

    fn route(target: &str) -> RelayRoute {
        RelayRoute::of(&target.replace("KEY", KEY).parse().unwrap())
    }

    #[test]
    fn what_follows_the_key_stays_byte_for_byte() {
        for (target, path) in [
            ("/KEY", "/"),
            ("/KEY/", "/"),
            ("/KEY?x=%20", "/?x=%20"),
            ("/KEY/a%2Fb//c/../d?q=1&q=2", "/a%2Fb//c/../d?q=1&q=2"),
            ("/KEY//", "//"),
            ("http://relay.example/KEY/absolute", "/absolute"),
            ("/KEY/-/connect", "/-/connect"),
        ] {
            let expected = RelayRoute::Ingest {
                key: KEY.parse().unwrap(),
                path: path.to_owned(),
            };
            assert_eq!(route(target), expected, "{target}");
        }
    }

    #[test]
    fn the_relays_own_paths_are_exact() {
        assert_eq!(route("/-/connect?x"), RelayRoute::Connect);
        assert_eq!(route("/-/healthz"), RelayRoute::Live);
        assert_eq!(route("/-/readyz"), RelayRoute::Ready);
        let crm = || "crm".parse().unwrap();
        for (path, asked) in [
            ("/-/tunnels", Manage::All),
            ("/-/tunnels/crm", Manage::One(crm())),
            ("/-/tunnels/crm/rotate", Manage::Rotate(crm())),
        ] {
            assert_eq!(route(path), RelayRoute::Manage(asked), "{path}");
        }
        for other in [
            "/",
            "*",
            "/-/",
            "/-/connect/",
            "/-/tunnels/",
            "/-/tunnelsx",
            "/-/tunnels/%2e%2e",
            "/-/tunnels/crm/",
            "/-/tunnels/crm/rotate/x",
            "/KEYx/a",
            "/short",
            "//KEY/a",
            "/%2FKEY",
        ] {
            assert_eq!(route(other), RelayRoute::NotFound, "{other}");
        }
    }
}
