//! A held request as `ingest` has it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::passing::{Outcome, Passing};

/// A request that waits; forgotten when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    passing: Arc<Passing>,
    number: u64,
    outcome: oneshot::Receiver<Outcome>,
}

impl Place {
    pub(super) fn new(
        passing: Arc<Passing>,
        number: u64,
        outcome: oneshot::Receiver<Outcome>,
    ) -> Self {
        Self {
            passing,
            number,
            outcome,
        }
    }

    /// What becomes of the request, after this time at the latest but for those before it. `None`
    /// never comes, but for a fault in here.
    pub(crate) async fn outcome(mut self, limit: Duration) -> Option<Outcome> {
        tokio::select! {
            outcome = &mut self.outcome => return outcome.ok(),
            () = sleep(limit) => {}
        }
        self.passing.give_up(self.number);
        (&mut self.outcome).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.passing.forget(self.number);
    }
}
