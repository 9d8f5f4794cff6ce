//! Groups the processes that a command starts, so that they end together.

use std::collections::BTreeSet;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};

use tokio::process::{Child, Command};

/// The groups of running commands, by the id of their first process.
static UNDER_WAY: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The group of a command; what is left of it is killed on drop.
#[derive(Debug)]
pub(super) struct CommandGroup(Option<u32>);

/// Starts the command in its own group, which ctrl-c in a terminal does not reach.
pub(super) fn set_apart(starting: &mut Command) {
    #[cfg(unix)]
    starting.process_group(0);
    #[cfg(not(unix))]
    let _ = starting;
}

impl CommandGroup {
    /// Returns the group whose first process this is.
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

/// Kills all running commands and everything that they started, for a process that ends without
/// waiting for its tasks.
pub fn kill_commands() {
    for leader in std::mem::take(&mut *all()) {
        kill(leader);
    }
}

fn all() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills a group. Its number is not given to another process while a process of the group lives,
/// and the group is killed as soon as its first process has been waited for.
#[cfg(unix)]
fn kill(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The group may be empty by now.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// Does nothing, because there are no groups: only the
/// command is killed, when its `Child` is dropped.
#[cfg(not(unix))]
fn kill(_leader: u32) {}

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
