//! Systems that are no Unix, such as Windows: ctrl-c is all that they tell. This is type-checked and
//! has not been run.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use super::{SIGINT, UnitState};

/// Ctrl-c.
#[derive(Debug)]
pub(crate) struct Signals;

impl Signals {
    /// Begins to watch.
    #[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
    pub(crate) fn register() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            // What cannot be watched never comes.
            std::future::pending::<()>().await;
        }
        SIGINT
    }
}

/// Tells of no signal.
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

/// A console that was closed ends its processes by itself.
pub(crate) fn terminal_is_gone() -> bool {
    false
}

/// There are none.
pub(crate) fn forbid_core_dumps() {}

/// Files have no such mode.
pub(crate) fn mode(_path: &Path) -> Option<u32> {
    None
}

/// Files have no such owner.
pub(crate) fn is_own(_path: &Path) -> Option<bool> {
    None
}

/// No path leads to a pipe.
pub(crate) fn is_pipe(_path: &Path) -> bool {
    false
}

/// Nothing hands over sockets.
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
pub(crate) fn passed_sockets() -> io::Result<Vec<TcpListener>> {
    Ok(Vec::new())
}

/// There is no supervisor.
pub(crate) fn tell(_state: UnitState) {}

/// Nothing waits for a word.
pub(crate) fn watchdog() -> Option<Duration> {
    None
}
