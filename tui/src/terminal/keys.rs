//! Reads the person's input on a thread of its own, until the end of the terminal.
//!
//! crossterm's own stream does not notice that end: once the terminal is gone, a read returns no
//! bytes, and crossterm reads again immediately, in an endless loop on the thread that asked. So
//! crossterm is asked only if there is something to read, and never on a thread of the runtime.
//!
//! crossterm's feature `use-dev-tty` asks the terminal itself each time. Without it, a key press
//! that follows a change of the terminal's size is seen only with the next one.

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

/// Maximum number of inputs that wait for the loop. The loop receives them
/// immediately, unless it is busy.
const WAITING: usize = 64;

/// Maximum time to wait for the end of the thread, which may be waiting for
/// the rest of an escape sequence.
const ENDS_WITHIN: Duration = Duration::from_millis(100);

/// Interval at which the loop also checks whether the terminal is gone, in case the
/// thread does not return from a read.
const LOOK: Duration = Duration::from_secs(1);

/// Pause after the terminal reported input and crossterm returned none.
const NOTHING: Duration = Duration::from_millis(20);

/// Maximum time for crossterm to return one input. With zero, it does not read at all.
const TELLS_WITHIN: Duration = Duration::from_millis(20);

/// Interval at which crossterm is also asked for input that it has read but not returned, because a
/// busy machine left it too little time.
const ASK: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// The keyboard and the mouse of the terminal. The thread ends when this value is dropped.
pub(super) struct Keys {
    inputs: mpsc::Receiver<io::Result<Input>>,
    resized: Signal,
    terminal: OwnedFd,
    next_look: Instant,
    /// Dropped to end the thread.
    stop: Option<PipeWriter>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Keys {
    /// Starts to read.
    ///
    /// # Errors
    /// If there is no terminal to read.
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

    /// Waits for the next input; returns `None` if the terminal is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped before it is ready.
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

/// Opens the terminal that crossterm reads.
fn terminal() -> io::Result<OwnedFd> {
    if stdin().is_terminal() {
        stdin().as_fd().try_clone_to_owned()
    } else {
        Ok(File::open("/dev/tty")?.into())
    }
}

/// Reads until the terminal is gone, the pipe `stopped` is closed, or the
/// receiver of `inputs` is dropped.
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

/// The events that a terminal reports once it is gone.
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

/// Returns whether a terminal is gone.
fn is_gone(terminal: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::new(&terminal, PollFlags::IN)];
    let asked = poll(&mut watched, Some(&Timespec::default()));
    let [said] = watched.map(|watched| watched.revents());
    asked.is_ok() && said.intersects(GONE)
}
