//! A local service that is away: probe until it can be reached again.

use std::time::Duration;

use super::forward::Forwarder;
use crate::config::Target;

/// Returns once the local service takes connections; `every` is the pause before each probe.
pub(super) async fn until_reachable(forwarder: &Forwarder, target: &Target, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        if forwarder.is_reachable(target).await {
            return;
        }
    }
}
