//! Signals to a cancellation: the first asks for a graceful end, the second ends at once.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::system::{HUNG_UP, SIGHUP, Signals, terminal_is_gone};

/// Watches SIGINT, SIGTERM and SIGHUP for as long as it lives.
pub(crate) struct Shutdown {
    token: CancellationToken,
    /// The number of the signal that came; 0 for none.
    signal: Arc<AtomicU8>,
    _watch: JoinSet<()>,
}

impl Shutdown {
    /// Begins to watch.
    pub(crate) fn register() -> Result<Self, Failure> {
        let mut signals = Signals::register()?;
        let (token, caught) = (CancellationToken::new(), Arc::new(AtomicU8::new(0)));
        let mut watch = JoinSet::new();
        watch.spawn({
            let (token, caught) = (token.clone(), Arc::clone(&caught));
            async move {
                loop {
                    let number = signals.next().await;
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
