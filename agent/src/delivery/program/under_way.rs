//! The commands under way: what ends them where this process ends first.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::process::Child;

use super::group;
use super::guard::Guard;

static UNDER_WAY: Mutex<UnderWay> = Mutex::new(UnderWay {
    leaders: BTreeSet::new(),
    guard: None,
});

/// The groups of commands under way, by the process that leads each, and who ends them if this
/// process is killed.
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

    /// Whether it was under way.
    fn end(&mut self, leader: u32) -> bool {
        let was_under_way = self.leaders.remove(&leader);
        if was_under_way {
            self.tell_guard('-', leader);
        }
        was_under_way
    }

    /// Another guard takes the place of one that has gone.
    fn tell_guard(&mut self, what: char, leader: u32) {
        let is_told = self.guard.as_mut().is_some_and(|it| it.tell(what, leader));
        if !is_told {
            self.guard = Guard::start(&self.leaders);
        }
    }
}

/// The group of a command; all that is left of it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct CommandGroup(Option<u32>);

/// Has a guard ready for a command that is about to be started.
pub(super) fn prepare_guard() {
    let mut all = all();
    if all.guard.is_none() {
        all.guard = Guard::start(&all.leaders);
    }
}

impl CommandGroup {
    /// The group of which this is the first process.
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

/// Kills all commands under way, with everything that they have started: for a process that ends
/// without waiting for its tasks.
pub fn kill_commands() {
    for leader in std::mem::take(&mut all().leaders) {
        group::kill(leader);
    }
}

fn all() -> std::sync::MutexGuard<'static, UnderWay> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}
