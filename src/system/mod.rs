//! What differs between systems: signals, the end of the terminal, core dumps, who may read a file,
//! what is a pipe, what a supervisor hands over.
//! The only door of this crate to what is Unix's own; elsewhere the nearest there is does instead.

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

/// What a supervisor is told of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UnitState {
    /// It works from now on.
    Ready,
    /// It still works.
    Alive,
    /// It ends.
    Stopping,
}

/// The exit code of a run whose terminal went away, whether or not SIGHUP told of it: its leader may
/// keep that to itself.
pub(crate) const HUNG_UP: u8 = 128 + SIGHUP;

/// The numbers of the signals that end a run, which shells add to 128.
pub(crate) const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
#[cfg(unix)]
const SIGTERM: u8 = 15;
