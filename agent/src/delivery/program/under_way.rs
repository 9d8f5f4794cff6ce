//! Tracks the running commands, so that they are killed if this process ends first.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::process::Child;

use super::group;
use super::guard::Guard;

static UNDER_WAY: Mutex<UnderWay> = Mutex::new(UnderWay {
    leaders: BTreeSet::new(),
    guard: None,
});

/// The groups of running commands, by the id of their first process, and the guard that kills them
/// if this process is killed.
#[derive(Debug)]
struct UnderWay {
    leaders: BTreeSet<u32>,
    guard: Option<Guard>,
}

impl UnderWay {
    fn begin(&mut self, leader: u32) {
        self.leaders.insert(leader);
        self.tell_guard('+', leader);
    }

    /// Removes a command; returns whether it was running.
    fn end(&mut self, leader: u32) -> bool {
        let was_under_way = self.leaders.remove(&leader);
        if was_under_way {
            self.tell_guard('-', leader);
        }
        was_under_way
    }

    /// Reports a command to the guard. If the guard has ended, starts another one.
    fn tell_guard(&mut self, what: char, leader: u32) {
        let is_told = self.guard.as_mut().is_some_and(|it| it.tell(what, leader));
        if !is_told {
            self.guard = Guard::start(&self.leaders);
        }
    }
}

/// The group of a command; what is left of it is killed on drop.
#[derive(Debug)]
pub(super) struct CommandGroup(Option<u32>);

/// Starts the guard, if there is none, before a command is started.
pub(super) fn prepare_guard() {
    let mut all = all();
    if all.guard.is_none() {
        all.guard = Guard::start(&all.leaders);
    }
}

impl CommandGroup {
    /// Returns the group whose first process this is.
    pub(super) fn of(child: &Child) -> Self {
        let leader = child.id();
        if let Some(leader) = leader {
            all().begin(leader);
        }
        Self(leader)
    }
}

impl Drop for CommandGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.0
            && all().end(leader)
        {
            group::kill(leader);
        }
    }
}

/// Kills all running commands and everything that they started, for a process that ends without
/// waiting for its tasks.
pub fn kill_commands() {
    for leader in std::mem::take(&mut all().leaders) {
        group::kill(leader);
    }
}

fn all() -> std::sync::MutexGuard<'static, UnderWay> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}
