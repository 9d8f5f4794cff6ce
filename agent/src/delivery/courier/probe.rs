//! Waits until an unreachable local service can be reached again.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use crate::connection::CountedStream;
use crate::delivery::forward::Forwarder;
use crate::delivery::program;
use crate::target::Target;

/// Minimum time for which a connection must stay open: a port without a service behind it closes
/// the connection much sooner.
const STAYS_FOR: Duration = Duration::from_millis(300);

/// Waits until the local service accepts connections, or the command
/// can be run; `every` is the pause before each probe. If `looks`,
/// returns whether a connection over which nothing is sent stays open.
pub(super) async fn until_reachable(
    forwarder: &Forwarder,
    target: &Target,
    every: Duration,
    looks: bool,
) -> Option<bool> {
    loop {
        tokio::time::sleep(every).await;
        if let Some(command) = target.command() {
            match program::find(command).await {
                Ok(()) => return None,
                Err(_) => continue,
            }
        }
        let Some(connection) = forwarder.connect(target).await else {
            continue;
        };
        return if looks {
            Some(stays_open(connection).await)
        } else {
            None
        };
    }
}

/// Returns whether a connection over which nothing is sent stays open.
async fn stays_open(mut connection: CountedStream) -> bool {
    let read = tokio::time::timeout(STAYS_FOR, connection.read_u8()).await;
    // A service may send something first.
    read.is_err() || read.is_ok_and(|read| read.is_ok())
}
