//! Turns signals into a cancellation: the first signal asks
//! for a graceful end, the second ends the process at once.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::system::{Caught, HUNG_UP, SIGHUP, Signals, terminal_is_gone};

/// Time between two checks for a signal while the run waits for something else.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether signals are watched. Until then, a signal ends the process by default.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// Runs work that may never end, such as reading a pipe. If it runs before
/// [`Shutdown`] watches signals, a signal ends the process meanwhile. The signal is
/// noted without the async runtime, since this may be the thread that drives it.
pub(crate) fn unless_ended<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    if !IS_WATCHED.load(Ordering::Relaxed) {
        return Ok(work());
    }
    let caught = Caught::register()?;
    let (done, ended) = mpsc::channel();
    let thread = std::thread::Builder::new().name("podtap-read".to_owned());
    thread.spawn(move || done.send(work()))?;
    loop {
        match ended.recv_timeout(LOOK_EVERY) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::Other.into()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(number) = caught.number() {
                    #[expect(clippy::disallowed_methods, reason = "nothing is begun")]
                    std::process::exit(i32::from(128 + number));
                }
            }
        }
    }
}

/// Watches SIGINT, SIGTERM and SIGHUP until it is dropped.
pub(crate) struct Shutdown {
    token: CancellationToken,
    /// The number of the last signal; 0 if there was none.
    signal: Arc<AtomicU8>,
    /// Notified by SIGHUP, which then does not end the run.
    reload: Arc<OnceLock<Arc<Notify>>>,
    _watch: JoinSet<()>,
}

impl Shutdown {
    /// Begins to watch signals.
    pub(crate) fn register() -> Result<Self, Failure> {
        let mut signals = Signals::register()?;
        IS_WATCHED.store(true, Ordering::Relaxed);
        let (token, caught) = (CancellationToken::new(), Arc::new(AtomicU8::new(0)));
        let reload: Arc<OnceLock<Arc<Notify>>> = Arc::default();
        let mut watch = JoinSet::new();
        watch.spawn({
            let (token, caught) = (token.clone(), Arc::clone(&caught));
            let reload = Arc::clone(&reload);
            async move {
                loop {
                    let number = signals.next().await;
                    if number == SIGHUP
                        && let Some(reload) = reload.get()
                        && !terminal_is_gone()
                    {
                        reload.notify_one();
                        continue;
                    }
                    // Each process of a closing window may send
                    // SIGHUP, so a second one does not mean haste.
                    if token.is_cancelled() && number == SIGHUP {
                        continue;
                    }
                    if token.is_cancelled() {
                        podtap_agent::kill_commands();
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
            reload,
            _watch: watch,
        })
    }

    /// Makes SIGHUP notify this bell from now on, as is
    /// usual for services, unless the terminal is gone.
    pub(crate) fn reload_on_hang_up(&self, bell: Arc<Notify>) {
        // Called once per run; a second bell is ignored.
        let _ = self.reload.set(bell);
    }

    /// Returns the token that is cancelled when a signal arrives.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Returns the exit code of a graceful end: 0, or 128 plus
    /// the number of the signal that asked for it, as in shells.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.signal.load(Ordering::Relaxed) {
            0 if terminal_is_gone() => HUNG_UP.into(),
            0 => ExitCode::SUCCESS,
            number => ExitCode::from(128 + number),
        }
    }
}
