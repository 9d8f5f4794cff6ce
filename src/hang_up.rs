//! The end of the terminal: its window was closed, or the connection to it was lost.

use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};

/// The exit code of a run whose terminal went away, whether or not SIGHUP told of it: its leader may
/// keep that to itself.
pub(crate) const HUNG_UP: u8 = 128 + 1;

/// Whether the terminal of this process was closed.
pub(crate) fn terminal_is_gone() -> bool {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]
        .into_iter()
        .any(is_gone)
}

/// Whether this was a terminal. One that is gone can no longer be asked whether it is one, but
/// stays a device; a pipe whose other end was closed is something else.
fn is_gone(fd: BorrowedFd<'_>) -> bool {
    let is_device = fstat(fd)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice);
    let mut watched = [PollFd::new(&fd, PollFlags::IN)];
    let asked = poll(&mut watched, Some(&Timespec::default()));
    let [said] = watched.map(|watched| watched.revents());
    is_device && asked.is_ok() && said.contains(PollFlags::HUP)
}
