//! The door to the repair of lost events: see [`crate::repair`].

use podtap_wire::EventId;

use super::AgentHandle;
use crate::history::Attempt;
use crate::repair::{Repair, RepairError, Repaired, Seeker};
use crate::replay::ReplayError;
use crate::target::Target;

impl AgentHandle {
    /// Looks for events of items that never came, and adds them to the history on record only. Costs
    /// a call of Podio's API for each place, each 100 items that were changed, and each item of which
    /// something may be missing; it stops where a fifth of the hour's calls is left. Works with and
    /// without a link.
    ///
    /// # Errors
    /// Where nothing can be looked for. What was left out for another reason is in the answer.
    pub async fn repair(&self, repair: Repair) -> Result<Repaired, RepairError> {
        let public = self.public_url();
        Seeker::new(&self.hook_admin, repair)
            .run(public.as_deref())
            .await
    }

    /// Sends an event that was repaired to the local service for the first time: as a delivery, not
    /// as a replay. Returns when the attempt has ended and is in the history.
    pub async fn deliver_repaired(
        &self,
        event: EventId,
        target: Option<Target>,
    ) -> Result<Attempt, ReplayError> {
        self.replayer.deliver(event, target).await
    }
}
