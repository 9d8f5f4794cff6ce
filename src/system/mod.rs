//! Hides what differs between operating systems: signals, the end of the
//! terminal, core dumps, file permissions, pipes, and sockets from a supervisor.
//!
//! In this crate, only this module uses what is specific to
//! Unix. On other systems it does the nearest equivalent.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::{
    Caught, Signals, forbid_core_dumps, is_own, is_pipe, mode, passed_sockets, tell,
    terminal_is_gone, watchdog,
};
#[cfg(unix)]
pub(crate) use supervisor::{passed_sockets, tell, watchdog};
#[cfg(unix)]
pub(crate) use unix::{
    Caught, Signals, forbid_core_dumps, is_own, is_pipe, mode, terminal_is_gone,
};

/// The state of a service, as reported to a supervisor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UnitState {
    /// The service works from now on.
    Ready,
    /// The service still works.
    Alive,
    /// The service is ending.
    Stopping,
}

/// The exit code of a run whose terminal is gone, even if no
/// SIGHUP arrived: the session leader may not pass it on.
pub(crate) const HUNG_UP: u8 = 128 + SIGHUP;

/// The numbers of the signals that end a run; shells add them to 128.
pub(crate) const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
#[cfg(unix)]
const SIGTERM: u8 = 15;
