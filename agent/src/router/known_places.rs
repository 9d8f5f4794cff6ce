//! Keeps the known places of hooks, because item and comment events do not name their app.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::history::{HistoryChange as Of, HistoryError, WatchReader};
use crate::place::PlaceRef;

/// The known places of hooks. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownPlaces(Arc<RwLock<HashMap<u64, PlaceRef>>>);

impl KnownPlaces {
    /// Returns the place of this hook.
    pub(crate) fn of(&self, hook_id: u64) -> Option<PlaceRef> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&hook_id).copied()
    }

    /// Reads the places in the history.
    pub(crate) async fn learn(&self, from: &WatchReader) -> Result<(), HistoryError> {
        let found = from.hook_places().await?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// Reads the places again whenever the history learns more, until cancelled.
    pub(crate) async fn follow(
        self,
        from: WatchReader,
        mut changes: broadcast::Receiver<Change>,
        token: CancellationToken,
    ) -> Result<(), HistoryError> {
        while let Some(change) = token.run_until_cancelled(changes.recv()).await {
            match change {
                Ok(Change::History(Of::Named | Of::Elsewhere)) | Err(RecvError::Lagged(_)) => {
                    // If the read fails, the next change reads them.
                    let _ = self.learn(&from).await;
                }
                Ok(_) => {}
                Err(RecvError::Closed) => break,
            }
        }
        token.cancelled().await;
        Ok(())
    }
}
