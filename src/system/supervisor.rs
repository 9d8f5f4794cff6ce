//! Takes sockets from a supervisor such as systemd and reports the service's state to it.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// Takes the sockets that the supervisor opened for this process (`LISTEN_FDS`), in the order of
/// the socket unit. Removes the variables from the environment, so call it before threads start.
///
/// # Errors
/// If one of them is not a listening TCP socket.
pub(crate) fn passed_sockets() -> io::Result<Vec<TcpListener>> {
    let mut passed = ListenFd::from_env();
    (0..passed.len())
        .filter_map(|index| passed.take_tcp_listener(index).transpose())
        .collect()
}

/// Reports to the supervisor that the service works, is alive
/// or is ending. Without a supervisor, nothing happens.
pub(crate) fn tell(state: super::UnitState) {
    let state = match state {
        super::UnitState::Ready => NotifyState::Ready,
        super::UnitState::Alive => NotifyState::Watchdog,
        super::UnitState::Stopping => NotifyState::Stopping,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}

/// Returns the interval within which the supervisor expects a sign of life.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
