//! Ensures that the process has enough file descriptors for its limits, or lowers the limits.

use crate::config::Limits;
use crate::server;

/// Number of descriptors beside connections and sessions: the database and its readers,
/// listeners, the runtime, the log, and everything that the rest of the program uses.
const OTHERS: usize = 128;

/// Maximum number of connections to the admin listener.
pub(crate) const ADMIN_CONNECTIONS: usize = 64;

/// Raises the soft limit if that is possible. Otherwise lowers `max_connections` and
/// `max_sessions` to what is available and logs that, because a connection that cannot be
/// accepted cannot even be refused.
pub(crate) fn fit(mut limits: Limits) -> Limits {
    let beside = OTHERS + ADMIN_CONNECTIONS + 3 * server::DESCRIPTORS_BESIDE;
    let wanted = limits.max_connections + limits.max_sessions;
    let Some(available) = raise(wanted + beside) else {
        return limits;
    };
    let usable = available.saturating_sub(beside).max(available / 2);
    let (connections, sessions) = share(&limits, usable);
    if (connections, sessions) != (limits.max_connections, limits.max_sessions) {
        tracing::warn!(
            "this process may open {available} files, too few for {wanted} connections and \
             sessions: max-connections is {connections} and max-sessions is {sessions} until you \
             raise `ulimit -n`, or LimitNOFILE in the systemd unit"
        );
        limits.max_connections = connections;
        limits.max_sessions = sessions;
    }
    limits
}

/// Returns the number of connections and sessions for which `available` descriptors
/// suffice: sessions get up to a quarter, connections the rest.
fn share(limits: &Limits, available: usize) -> (usize, usize) {
    if limits.max_connections + limits.max_sessions <= available {
        return (limits.max_connections, limits.max_sessions);
    }
    let for_sessions = (available / 4).max(available.saturating_sub(limits.max_connections));
    let sessions = limits.max_sessions.min(for_sessions).max(1);
    let left = available.saturating_sub(sessions);
    (limits.max_connections.min(left).max(1), sessions)
}

/// Raises the limit as far as needed and returns it, or `None` if there is no limit.
#[cfg(unix)]
fn raise(wanted: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if raised > current {
        let limit = Rlimit {
            current: Some(raised),
            maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
    let now = getrlimit(Resource::Nofile).current?;
    Some(usize::try_from(now).unwrap_or(usize::MAX))
}

/// Returns `None`, because other systems have no such limit.
#[cfg(not(unix))]
fn raise(_wanted: usize) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_shared_and_neither_gets_nothing() {
        let limits = |connections, sessions| Limits {
            max_connections: connections,
            max_sessions: sessions,
            ..Limits::default()
        };
        for (wanted, available, expected) in [
            ((100, 50), 1000, (100, 50)),
            ((1000, 400), 1000, (750, 250)),
            ((1000, 100), 1000, (900, 100)),
            ((100, 5000), 1000, (100, 900)),
            ((1000, 400), 0, (1, 1)),
        ] {
            let limits = limits(wanted.0, wanted.1);
            assert_eq!(share(&limits, available), expected, "{wanted:?}");
        }
    }
}
