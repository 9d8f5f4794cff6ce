//! What a person types, read on a thread of its own, to the end of the terminal.
//!
//! crossterm's own stream never sees that end: where the terminal is gone a read gives nothing, and
//! it reads again at once, for ever, in whichever thread asked. So it is asked only when there is
//! something to read, and never on a thread of the runtime.
//!
//! Its `use-dev-tty` asks the terminal itself each time. Without it a key that follows a change of the
//! terminal's size is not seen until the next one comes.

use std::fs::File;
use std::io::{self, IsTerminal as _, PipeReader, PipeWriter, pipe, stdin};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event as Input};
use crossterm::terminal::size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Input that waits for the loop, which takes it at once unless it is busy.
const WAITING: usize = 64;

/// Time that the thread gets to end. It may wait for the rest of an escape sequence.
const ENDS_WITHIN: Duration = Duration::from_millis(100);

/// How often the terminal is looked at besides, should the thread not come back from reading it.
const LOOK: Duration = Duration::from_secs(1);

/// Pause where the terminal says that there is something to read, and nothing comes of it.
const NOTHING: Duration = Duration::from_millis(20);

/// Time that crossterm gets to tell one input; with none at all it does not look.
const TELLS_WITHIN: Duration = Duration::from_millis(20);

/// How often crossterm is asked besides for what it has read and not told, on a machine that is so
/// busy that it ran out of time.
const ASK: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// The keyboard and the mouse of the terminal, while this lives.
pub(super) struct Keys {
    inputs: mpsc::Receiver<io::Result<Input>>,
    resized: Signal,
    terminal: OwnedFd,
    next_look: Instant,
    /// Closed to end the thread.
    stop: Option<PipeWriter>,
    /// Closed when it has ended.
    ended: Receiver<()>,
}

impl Keys {
    /// Begins to read.
    ///
    /// # Errors
    /// When there is no terminal to read.
    pub(super) fn read() -> io::Result<Self> {
        let terminal = terminal()?;
        let watched = terminal.try_clone()?;
        let (stopped, stop) = pipe()?;
        let (sender, inputs) = mpsc::channel(WAITING);
        let (ends, ended) = channel();
        let resized = signal(SignalKind::window_change())?;
        thread::Builder::new()
            .name("podtap-keys".to_owned())
            .spawn(move || {
                read_all(watched.as_fd(), &stopped, &sender);
                drop(ends);
            })?;
        Ok(Self {
            inputs,
            resized,
            terminal,
            next_look: Instant::now() + LOOK,
            stop: Some(stop),
            ended,
        })
    }

    /// The next thing that a person did; `None` when the terminal is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is ready.
    pub(super) async fn next(&mut self) -> Option<io::Result<Input>> {
        loop {
            tokio::select! {
                biased;
                input = self.inputs.recv() => return input,
                _ = self.resized.recv() => {
                    return Some(size().map(|(width, height)| Input::Resize(width, height)));
                }
                () = sleep_until(self.next_look) => {
                    self.next_look = Instant::now() + LOOK;
                    if is_gone(self.terminal.as_fd()) {
                        return None;
                    }
                }
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.inputs.close();
        self.stop = None;
        let _ = self.ended.recv_timeout(ENDS_WITHIN);
    }
}

/// The terminal that crossterm reads.
fn terminal() -> io::Result<OwnedFd> {
    if stdin().is_terminal() {
        stdin().as_fd().try_clone_to_owned()
    } else {
        Ok(File::open("/dev/tty")?.into())
    }
}

/// Reads until the terminal is gone, or nobody wants to know any more.
fn read_all(
    terminal: BorrowedFd<'_>,
    stopped: &PipeReader,
    inputs: &mpsc::Sender<io::Result<Input>>,
) {
    loop {
        let mut watched = [
            PollFd::new(&terminal, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        match poll(&mut watched, Some(&ASK)) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        let [terminal, stopped] = watched.map(|watched| watched.revents());
        if !stopped.is_empty() || terminal.intersects(GONE) {
            return;
        }
        let mut came = false;
        while matches!(event::poll(TELLS_WITHIN), Ok(true)) {
            came = true;
            if inputs.blocking_send(event::read()).is_err() {
                return;
            }
        }
        if !came {
            thread::sleep(NOTHING);
        }
    }
}

/// What a terminal says that is gone.
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

/// Whether a terminal is gone.
fn is_gone(terminal: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::new(&terminal, PollFlags::IN)];
    let asked = poll(&mut watched, Some(&Timespec::default()));
    let [said] = watched.map(|watched| watched.revents());
    asked.is_ok() && said.intersects(GONE)
}
