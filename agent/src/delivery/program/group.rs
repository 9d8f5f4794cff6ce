//! Starts and kills a process together with the processes that it starts, as one group.

use std::process::{Command, ExitStatus};

/// Starts the process in a group of its own, which ctrl-c in a terminal does not reach.
#[cfg(unix)]
pub(super) fn set_apart(starting: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    starting.process_group(0);
}

#[cfg(not(unix))]
pub(super) fn set_apart(_starting: &mut Command) {}

/// Sets the name under which lists of processes show the process.
#[cfg(unix)]
pub(super) fn set_name(starting: &mut Command, name: &str) {
    use std::os::unix::process::CommandExt as _;

    starting.arg0(name);
}

#[cfg(not(unix))]
pub(super) fn set_name(_starting: &mut Command, _name: &str) {}

/// Makes a write to a full pipe fail instead of waiting.
#[cfg(unix)]
pub(super) fn set_nonblocking(pipe: &std::process::ChildStdin) -> std::io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(pipe, true)?)
}

#[cfg(not(unix))]
pub(super) fn set_nonblocking(_pipe: &std::process::ChildStdin) -> std::io::Result<()> {
    Ok(())
}

/// Kills a group. Its number is not given to another process while a process of the group lives,
/// and the group is killed as soon as its first process has been waited for.
#[cfg(unix)]
pub(super) fn kill(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The group may be empty by now.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// Does nothing, because there are no groups: only the
/// command is killed, when its `Child` is dropped.
#[cfg(not(unix))]
pub(super) fn kill(_leader: u32) {}

/// Returns the signal that ended a command.
pub(super) fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        status.signal()
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        None
    }
}
