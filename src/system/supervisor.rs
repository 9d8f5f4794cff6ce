//! What a supervisor such as systemd hands to a service, and hears from it.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The sockets that were opened for this process (`LISTEN_FDS`), in the order of the socket unit.
/// Takes the variables out of the environment, so it must come before there are threads.
///
/// # Errors
/// Where one of them is no listening TCP socket.
pub(crate) fn passed_sockets() -> io::Result<Vec<TcpListener>> {
    let mut passed = ListenFd::from_env();
    (0..passed.len())
        .filter_map(|index| passed.take_tcp_listener(index).transpose())
        .collect()
}

/// Tells the supervisor that the service works, is alive or ends; without one, nothing happens.
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

/// Within which time the supervisor wants to hear that the service is alive.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
