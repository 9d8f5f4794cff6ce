//! What the end-to-end tests share: processes, a local
//! service that stores requests, and a sender of exact bytes.

pub(crate) mod node;
mod process;
pub(crate) mod schema;
pub(crate) mod script;
mod sender;
mod service;
mod shared;
mod stage;
mod terminal;
pub(crate) mod tls;

use std::time::Duration;

pub(crate) use podtap_testing::own_port;
pub(crate) use process::{Process, podtap};
pub(crate) use sender::{Answer, form_post, get, pause, post, send, split_url};
pub(crate) use service::{GoneService, Received, Service};
pub(crate) use shared::{DatabaseServer, SharedStage};
pub(crate) use stage::{Relay, Stage, listen_alone};
pub(crate) use terminal::Terminal;

/// Longer than any step takes on a busy machine with two cores; only failures reach it.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Waits until `condition` returns a value; fails with `state` if that takes too long.
pub(crate) async fn eventually<T>(
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
    state: impl Fn() -> String,
) -> T {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{what} never came about: {}",
            state()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Returns a command on this stage that the test may change.
pub(crate) fn command(stage: &Stage, args: &[&str]) -> std::process::Command {
    let mut command = podtap(stage.home());
    command.args(args);
    command
}

/// Returns a loopback address at which a process can end and start again.
pub(crate) fn own_address() -> String {
    format!("127.0.0.1:{}", own_port())
}
