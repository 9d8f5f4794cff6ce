//! A held request as `ingest` has it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::passing::{HeldOutcome, Passing};

/// A request that waits; forgotten when this is dropped.
#[derive(Debug)]
pub(crate) struct HeldPlace {
    passing: Arc<Passing>,
    number: u64,
    outcome: oneshot::Receiver<HeldOutcome>,
}

impl HeldPlace {
    pub(super) fn new(
        passing: Arc<Passing>,
        number: u64,
        outcome: oneshot::Receiver<HeldOutcome>,
    ) -> Self {
        Self {
            passing,
            number,
            outcome,
        }
    }

    /// What becomes of the request, after this time at the latest but for those before it. `None`
    /// never comes, but for a fault in here.
    pub(crate) async fn outcome(mut self, limit: Duration) -> Option<HeldOutcome> {
        tokio::select! {
            outcome = &mut self.outcome => return outcome.ok(),
            () = sleep(limit) => {}
        }
        self.passing.give_up(self.number);
        (&mut self.outcome).await.ok()
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        self.passing.forget(self.number);
    }
}
