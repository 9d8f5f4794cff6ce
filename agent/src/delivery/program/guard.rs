//! Runs the guard: a process that kills the commands of a Podtap process that was killed. Podtap
//! reports each command that begins and ends through a pipe. When the pipe closes, the guard kills
//! the commands that have not ended.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use super::group;

/// The argument that makes this program a guard.
pub const GUARD_COMMANDS: &str = "guard-commands";

/// The guard's name in lists of processes. It is not `podtap`, so that the guard survives
/// `killall -9 podtap`.
const NAME: &str = "command-guard";

/// The program to run as the guard; without one, commands are not guarded.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Sets the program that guards commands. It must call [`guard_commands`] when its only argument is
/// [`GUARD_COMMANDS`].
pub fn set_command_guard(program: PathBuf) {
    // The first call wins.
    let _ = PROGRAM.set(program);
}

/// Reads which commands begin and end, and kills those that have not ended when the input ends.
/// Each line is `+` or `-`, followed by the id of the first process of the command's group.
pub fn guard_commands(told: impl std::io::Read) {
    for leader in left_at_the_end(BufReader::new(told)) {
        group::kill(leader);
    }
}

fn left_at_the_end(told: impl BufRead) -> BTreeSet<u32> {
    let mut under_way = BTreeSet::new();
    for line in told.lines().map_while(Result::ok) {
        match (line.get(..1), line.get(1..).map(str::parse)) {
            (Some("+"), Some(Ok(leader))) => drop(under_way.insert(leader)),
            (Some("-"), Some(Ok(leader))) => drop(under_way.remove(&leader)),
            _ => {}
        }
    }
    under_way
}

/// The pipe to the guard of this process.
#[derive(Debug)]
pub(super) struct Guard(ChildStdin);

impl Guard {
    /// Starts a guard and reports these commands to it; returns `None` if that fails.
    pub(super) fn start(under_way: &BTreeSet<u32>) -> Option<Self> {
        let mut starting = Command::new(PROGRAM.get()?);
        starting
            .arg(GUARD_COMMANDS)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // In its own group, so that a signal to Podtap's group does not reach it.
        group::set_apart(&mut starting);
        group::set_name(&mut starting, NAME);
        let started = starting.spawn();
        let mut child = started
            .inspect_err(|error| tracing::debug!(%error, "commands are not guarded"))
            .ok()?;
        let mut guard = Self(child.stdin.take()?);
        group::set_nonblocking(&guard.0).ok()?;
        let knows_all = under_way.iter().all(|leader| guard.tell('+', *leader));
        knows_all.then_some(guard)
    }

    /// Reports that a command begins (`+`) or has ended (`-`); returns whether the guard can receive
    /// it. Does not wait for a guard whose pipe is full.
    pub(super) fn tell(&mut self, what: char, leader: u32) -> bool {
        self.0
            .write_all(format!("{what}{leader}\n").as_bytes())
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_and_not_ended_is_left() {
        let told = "+7\n+8\n-7\nnonsense\n+\n-9\n+9\n+1é\n";
        assert_eq!(left_at_the_end(told.as_bytes()), BTreeSet::from([8, 9]));
    }
}
