//! Chooses the threads that a command runs on.

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use crate::cli::Command;
use crate::config::Settings;

/// Returns the runtime of a command.
pub(crate) fn of(command: &Command, settings: &Settings) -> io::Result<Runtime> {
    let workers = match command {
        Command::Relay(_) => relay_workers(available_parallelism().map_or(1, NonZero::get)),
        _ if is_agent_alone(command, settings) => 1,
        _ => return Builder::new_multi_thread().enable_all().build(),
    };
    // A single worker runs on the main thread, without a second one beside it.
    if workers == 1 {
        return Builder::new_current_thread().enable_all().build();
    }
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(workers).enable_all().build()
}

/// Returns whether the process runs only an agent. An agent reads one websocket and writes to a few
/// sockets, and its history has threads of its own; a single thread does this without waking
/// others. A relay in the same process has more to do, and drawing a screen would delay deliveries.
fn is_agent_alone(command: &Command, settings: &Settings) -> bool {
    matches!(command, Command::Listen(_))
        && !command.takes_the_screen(settings.is_dumb())
        && settings.relay().is_ok_and(|relay| relay.is_some())
}

/// Leaves one core to the writer of the relay's queue: each additional
/// sleeping worker would be woken in vain when the writer has committed.
fn relay_workers(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_leaves_a_core_to_its_writer() {
        for (cores, workers) in [(1, 1), (2, 1), (3, 2), (8, 7)] {
            assert_eq!(relay_workers(cores), workers, "{cores} cores");
        }
    }
}
