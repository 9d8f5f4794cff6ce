//! Signals to a cancellation: the first asks for a graceful end, the second ends at once.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::hang_up::{HUNG_UP, terminal_is_gone};

/// Watches SIGINT, SIGTERM and SIGHUP for as long as it lives.
pub(crate) struct Shutdown {
    token: CancellationToken,
    /// The number of the signal that came; 0 for none.
    signal: Arc<AtomicU8>,
    _watch: JoinSet<()>,
}

const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

/// The next signal of those that are watched; none of those that are not.
async fn received(signal: Option<&mut Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => None,
    }
}

/// Whether whoever started this wants it to outlive the terminal, as `nohup` does. Where that
/// cannot be told, the signal is left as it is.
fn hang_up_is_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return true;
    };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is signal 1.
    ignored.is_none_or(|mask| mask & 1 == 1)
}

impl Shutdown {
    /// Begins to watch.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        // The terminal's window was closed: hooks that were made are to be removed all the same.
        let mut hang_up = if hang_up_is_ignored() {
            None
        } else {
            Some(signal(SignalKind::hangup())?)
        };
        let (token, caught) = (CancellationToken::new(), Arc::new(AtomicU8::new(0)));
        let mut watch = JoinSet::new();
        watch.spawn({
            let (token, caught) = (token.clone(), Arc::clone(&caught));
            async move {
                loop {
                    let number = tokio::select! {
                        _ = interrupt.recv() => SIGINT,
                        _ = terminate.recv() => SIGTERM,
                        Some(()) = received(hang_up.as_mut()) => SIGHUP,
                    };
                    // Each process of a closing window sends its own: that asks for no more haste.
                    if token.is_cancelled() && number == SIGHUP {
                        continue;
                    }
                    if token.is_cancelled() {
                        #[expect(clippy::disallowed_methods, reason = "asked twice: at once")]
                        std::process::exit(i32::from(128 + number));
                    }
                    caught.store(number, Ordering::Relaxed);
                    token.cancel();
                }
            }
        });
        Ok(Self {
            token,
            signal: caught,
            _watch: watch,
        })
    }

    /// Cancelled when a signal comes.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The exit code of a run that ended in good order: 0, or 128 and the signal that asked for
    /// it, as shells have it.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.signal.load(Ordering::Relaxed) {
            0 if terminal_is_gone() => HUNG_UP.into(),
            0 => ExitCode::SUCCESS,
            number => ExitCode::from(128 + number),
        }
    }
}
