//! The processes that a command starts, as one group: they end together.

use std::collections::BTreeSet;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};

use tokio::process::{Child, Command};

/// The groups of commands under way, by the process that leads each.
static UNDER_WAY: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The group of a command; all that is left of it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct CommandGroup(Option<u32>);

/// Gives what is started a group of its own, which a terminal's ctrl-c does not reach.
pub(super) fn set_apart(starting: &mut Command) {
    #[cfg(unix)]
    starting.process_group(0);
    #[cfg(not(unix))]
    let _ = starting;
}

impl CommandGroup {
    /// The group of which this is the first process.
    pub(super) fn of(child: &Child) -> Self {
        let leader = child.id();
        if let Some(leader) = leader {
            all().insert(leader);
        }
        Self(leader)
    }
}

impl Drop for CommandGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.0
            && all().remove(&leader)
        {
            kill(leader);
        }
    }
}

/// Kills all commands under way, with everything that they have started: for a process that ends
/// without waiting for its tasks.
pub fn kill_commands() {
    for leader in std::mem::take(&mut *all()) {
        kill(leader);
    }
}

fn all() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Its number is not given to another process while one of the group lives, and the group is killed
/// as soon as its first process was waited for.
#[cfg(unix)]
fn kill(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // It may be empty by now.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// There are no groups: the command alone is killed, when its `Child` is dropped.
#[cfg(not(unix))]
fn kill(_leader: u32) {}

/// The signal that ended a command.
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
