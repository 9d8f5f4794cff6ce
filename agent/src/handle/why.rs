//! The door to the answer why: see [`crate::why`].

use super::AgentHandle;
use crate::history::HistoryError;
use crate::why::{Gatherer, Subject, Why};

impl AgentHandle {
    /// Why something arrived or did not, link by link. Costs up to two calls of Podio's API, and one
    /// for each known place, so call it when a person asks; without credentials it costs none. Works
    /// with and without a link.
    ///
    /// # Errors
    /// When the history cannot be read. What Podio refuses is told in the answer.
    pub async fn why(&self, subject: Subject) -> Result<Why, HistoryError> {
        let gatherer = Gatherer {
            desk: &self.desk,
            history: &self.history,
            status: self.status.borrow().clone(),
        };
        gatherer.answer(subject).await
    }
}
