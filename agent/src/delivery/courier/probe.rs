//! A local service that is away: probe until it can be reached again.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use crate::connection::Observed;
use crate::delivery::forward::Forwarder;
use crate::delivery::program;
use crate::target::Target;

/// How long a connection has to stay open: what takes it for a service that is away knows much
/// sooner that it is.
const STAYS_FOR: Duration = Duration::from_millis(300);

/// Returns once the local service takes connections, or the command in its place is there; `every` is the pause before each probe. Whether
/// one over which nothing is sent stays open, where that is to be looked at.
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

/// Whether a connection over which nothing is sent stays open.
async fn stays_open(mut connection: Observed) -> bool {
    let read = tokio::time::timeout(STAYS_FOR, connection.read_u8()).await;
    // A service may be the first to speak.
    read.is_err() || read.is_ok_and(|read| read.is_ok())
}
