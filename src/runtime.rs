//! The threads that a command runs on.

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use crate::cli::Command;

/// The runtime of a command.
pub(crate) fn of(command: &Command) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if matches!(command, Command::Relay(_)) {
        let cores = available_parallelism().map_or(1, NonZero::get);
        builder.worker_threads(relay_workers(cores));
    }
    builder.enable_all().build()
}

/// A relay leaves a core to its queue's writer: each worker more that sleeps is woken in vain when
/// that has committed something.
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
