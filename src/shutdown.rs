//! Signals to a cancellation: the first asks for a graceful end, the second ends at once.

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

/// How often it is looked whether a signal has come, while the run waits for something else.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether signals are watched; until then each ends the process by itself.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// Does what may take for ever, before anything else is begun: a signal ends the process meanwhile.
/// Whoever watches signals otherwise is not asked, as this thread may be the one that does.
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

/// Watches SIGINT, SIGTERM and SIGHUP for as long as it lives.
pub(crate) struct Shutdown {
    token: CancellationToken,
    /// The number of the signal that came; 0 for none.
    signal: Arc<AtomicU8>,
    /// Rung by SIGHUP, which then ends nothing.
    reload: Arc<OnceLock<Arc<Notify>>>,
    _watch: JoinSet<()>,
}

impl Shutdown {
    /// Begins to watch.
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
                    // Each process of a closing window sends its own: that asks for no more haste.
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

    /// From now on SIGHUP rings this bell, as services have it, unless the terminal is gone.
    pub(crate) fn reload_on_hang_up(&self, bell: Arc<Notify>) {
        // Asked once a run; a second bell would not be heard.
        let _ = self.reload.set(bell);
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
