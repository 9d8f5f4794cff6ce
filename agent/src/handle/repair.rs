//! The handle's access to the repair of lost events: see [`crate::repair`].

use podtap_wire::EventId;

use super::AgentHandle;
use crate::history::Attempt;
use crate::repair::{Repair, RepairError, RepairReport, Seeker};
use crate::replay::ReplayError;
use crate::target::Target;

impl AgentHandle {
    /// Looks for item events that did not arrive, and adds them to the history without delivering
    /// them. Costs one call of Podio's API for each place, for each 100 changed items, and for each
    /// item that may have missing events; it stops if a fifth of the hour's calls is left. Works
    /// with and without a link.
    ///
    /// # Errors
    /// If nothing can be searched. The answer contains what was left out for another reason.
    pub async fn repair(&self, repair: Repair) -> Result<RepairReport, RepairError> {
        let public = self.public_url();
        Seeker::new(&self.hook_admin, repair)
            .run(public.as_deref())
            .await
    }

    /// Sends a repaired event to the local service for the first time, as a delivery and not as a
    /// replay. Returns when the attempt has ended and is stored.
    pub async fn deliver_repaired(
        &self,
        event: EventId,
        target: Option<Target>,
    ) -> Result<Attempt, ReplayError> {
        self.replayer.deliver(event, target).await
    }
}
