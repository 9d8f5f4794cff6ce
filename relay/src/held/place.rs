//! Represents one held request towards `ingest`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::passing::{HeldOutcome, PassThrough};

/// A held request that waits for its outcome. It is forgotten when this is dropped.
#[derive(Debug)]
pub(crate) struct HeldPlace {
    passing: Arc<PassThrough>,
    number: u64,
    outcome: oneshot::Receiver<HeldOutcome>,
}

impl HeldPlace {
    pub(super) fn new(
        passing: Arc<PassThrough>,
        number: u64,
        outcome: oneshot::Receiver<HeldOutcome>,
    ) -> Self {
        Self {
            passing,
            number,
            outcome,
        }
    }

    /// Waits for the outcome of the request. After `limit` the request is turned away; its
    /// outcome then only waits for the requests that were turned away before it. Returns `None`
    /// only if this module has a bug.
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
