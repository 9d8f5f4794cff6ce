//! Unix: signals, the state of the terminal, and limits of the process.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::process::{Resource, Rlimit, geteuid, setrlimit};
use signal_hook::SigId;
use signal_hook::flag::register_usize;
use signal_hook::low_level::unregister;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{SIGHUP, SIGINT, SIGTERM};

/// Watches SIGINT, SIGTERM and SIGHUP until it is dropped.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` if SIGHUP is ignored.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Begins to watch.
    pub(crate) fn register() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // When the terminal's window is closed, SIGHUP must
            // still let the run remove the hooks that it created.
            hang_up: if hang_up_is_ignored() {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    /// Waits for the next signal and returns its number. Cancel-safe.
    pub(crate) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => SIGINT,
            _ = self.terminate.recv() => SIGTERM,
            Some(()) = next_signal(self.hang_up.as_mut()) => SIGHUP,
        }
    }
}

/// Notes signals without a runtime, even while [`Signals`] watches them.
#[derive(Debug)]
pub(crate) struct Caught {
    number: Arc<AtomicUsize>,
    actions: Vec<SigId>,
}

impl Caught {
    /// Begins to note signals.
    pub(crate) fn register() -> io::Result<Self> {
        let number = Arc::new(AtomicUsize::new(0));
        let mut caught = Self {
            number: Arc::clone(&number),
            actions: Vec::new(),
        };
        let hang_up = (!hang_up_is_ignored()).then_some(SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hang_up) {
            let noted = Arc::clone(&number);
            let action = register_usize(i32::from(signal), noted, usize::from(signal))?;
            caught.actions.push(action);
        }
        Ok(caught)
    }

    /// Returns the number of the last signal.
    pub(crate) fn number(&self) -> Option<u8> {
        let number = self.number.load(Ordering::Relaxed);
        u8::try_from(number).ok().filter(|number| *number > 0)
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        for action in self.actions.drain(..) {
            unregister(action);
        }
    }
}

/// Waits for the next signal; returns `None` if the signal is not watched.
async fn next_signal(signal: Option<&mut Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => None,
    }
}

/// Returns whether the process was started to outlive the terminal, as with
/// `nohup`. If this is unknown, it counts as true, and the signal is left alone.
fn hang_up_is_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return true;
    };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is signal 1.
    ignored.is_none_or(|mask| mask & 1 == 1)
}

/// Returns whether this process's terminal was closed or its connection was lost.
pub(crate) fn terminal_is_gone() -> bool {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]
        .into_iter()
        .any(is_gone)
}

/// Returns whether this was a terminal that is now gone. A terminal that is gone no longer
/// answers as one, but remains a character device; a pipe with a closed end is not one.
fn is_gone(fd: BorrowedFd<'_>) -> bool {
    let is_device = fstat(fd)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice);
    let mut watched = [PollFd::new(&fd, PollFlags::IN)];
    let asked = poll(&mut watched, Some(&Timespec::default()));
    let [said] = watched.map(|watched| watched.revents());
    is_device && asked.is_ok() && said.contains(PollFlags::HUP)
}

/// Turns core dumps off for this process and its children, as far as the system allows
/// it: a crash of a process that holds tokens and webhooks would write them to a file.
pub(crate) fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::debug!(%error, "the size of core dumps cannot be limited");
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::debug!(%error, "core dumps cannot be turned off");
        }
    }
}

/// Returns the permissions of a file, as for `chmod`; `None` if they cannot be read.
pub(crate) fn mode(path: &Path) -> Option<u32> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(metadata.permissions().mode())
}

/// Returns whether a file or folder belongs to this user; `None` if that cannot be read.
pub(crate) fn is_own(path: &Path) -> Option<bool> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(metadata.uid() == geteuid().as_raw())
}

/// Returns whether a path leads to a named pipe that may still wait for a writer.
pub(crate) fn is_pipe(path: &Path) -> bool {
    // The shell has already opened the pipe of a `<(command)` for writing.
    let is_of_a_shell = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    let is_fifo = path.metadata().is_ok_and(|at| at.file_type().is_fifo());
    is_fifo && !is_of_a_shell
}
