//! Systems other than Unix, such as Windows, where Ctrl-C is the
//! only signal. This code is type-checked but has not been run.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use super::{SIGINT, UnitState};

/// Watches Ctrl-C.
#[derive(Debug)]
pub(crate) struct Signals;

impl Signals {
    /// Begins to watch.
    #[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
    pub(crate) fn register() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal and returns its number. Cancel-safe.
    pub(crate) async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            // If Ctrl-C cannot be watched, no signal ever arrives.
            std::future::pending::<()>().await;
        }
        SIGINT
    }
}

/// Notes no signals.
#[derive(Debug)]
pub(crate) struct Caught;

impl Caught {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
    pub(crate) fn register() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "it holds something elsewhere")]
    pub(crate) fn number(&self) -> Option<u8> {
        None
    }
}

/// Returns false: a closed console ends its processes by itself.
pub(crate) fn terminal_is_gone() -> bool {
    false
}

/// Does nothing: these systems write no core dumps.
pub(crate) fn forbid_core_dumps() {}

/// Returns `None`: files have no Unix mode.
pub(crate) fn mode(_path: &Path) -> Option<u32> {
    None
}

/// Returns `None`: files have no Unix owner.
pub(crate) fn is_own(_path: &Path) -> Option<bool> {
    None
}

/// Returns false: a path cannot lead to a named pipe.
pub(crate) fn is_pipe(_path: &Path) -> bool {
    false
}

/// Returns an empty list: no supervisor passes sockets.
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
pub(crate) fn passed_sockets() -> io::Result<Vec<TcpListener>> {
    Ok(Vec::new())
}

/// Does nothing: there is no supervisor.
pub(crate) fn tell(_state: UnitState) {}

/// Returns `None`: there is no watchdog.
pub(crate) fn watchdog() -> Option<Duration> {
    None
}
