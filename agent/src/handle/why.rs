//! The handle's access to the explanation why something arrived or did not: see [`crate::why`].

use super::AgentHandle;
use crate::history::HistoryError;
use crate::why::{FindItemError, Gatherer, ItemPage, Subject, Why};

impl AgentHandle {
    /// Returns the item of a page in Podio. Costs one call for each known app until the right one
    /// is found, and one for the item.
    ///
    /// # Errors
    /// If Podio cannot be asked, or the page belongs to no known app.
    pub async fn find_item(&self, page: &ItemPage) -> Result<Subject, FindItemError> {
        let places = self.hook_admin.known_places().await?;
        let item = page.find(&self.hook_admin.client, &places).await?;
        Ok(Subject::Object(item))
    }

    /// Explains step by step why something arrived or did not. Costs up to two calls of Podio's
    /// API, and one for each known place, so call it only on a person's request; without
    /// credentials it costs none. Works with and without a link.
    ///
    /// # Errors
    /// If the history cannot be read. The answer contains what Podio refuses.
    pub async fn why(&self, subject: Subject) -> Result<Why, HistoryError> {
        let gatherer = Gatherer {
            hook_admin: &self.hook_admin,
            history: &self.history,
            status: self.status.borrow().clone(),
        };
        gatherer.answer(subject).await
    }
}
