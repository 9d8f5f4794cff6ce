//! Removes hooks that were created here: at the end, and at the start those that a crash left.

use std::time::Duration;

use podtap_podio::client::Error;

use super::{HookMaker, HookState};
use crate::history::{Fact, HistoryError, MadeHook};
use crate::reason;

/// Maximum time for removing all hooks at the end; the next start removes the others.
const END_LIMIT: Duration = Duration::from_secs(6);

impl HookMaker {
    /// Removes the hooks of an agent that was cut off.
    pub(super) async fn remove_leftovers(&self) -> Result<(), HistoryError> {
        for record in self.records().await? {
            match self.remove(&record).await {
                Ok(()) => {
                    tracing::info!(place = %record.place, event = record.event_type, "removed a hook of an earlier run");
                    self.forget(&record).await?;
                }
                Err(error) => {
                    tracing::warn!(place = %record.place, %error, "cannot remove a hook of an earlier run");
                }
            }
        }
        Ok(())
    }

    /// Removes the created hooks, or keeps them if configured so.
    pub(super) async fn end(&self) -> Result<(), super::HooksError> {
        let records = self.records().await?;
        if self.config.keep {
            for record in &records {
                self.forget(record).await?;
            }
            return Ok(());
        }
        let removing = async {
            for record in &records {
                match self.remove(record).await {
                    Ok(()) => {
                        self.forget(record).await?;
                        self.report_end(record, HookState::Removed);
                    }
                    Err(error) => {
                        let reason = reason::of_podio(&error);
                        tracing::warn!(place = %record.place, reason, "cannot remove a hook");
                        self.report_end(record, HookState::Failed { reason });
                    }
                }
            }
            Ok::<_, HistoryError>(())
        };
        if let Ok(removed) = tokio::time::timeout(END_LIMIT, removing).await {
            return Ok(removed?);
        }
        tracing::warn!("some hooks remain: the next start removes them");
        Ok(())
    }

    /// Removes the hooks for an earlier URL of the tunnel. Hooks that cannot be removed stay
    /// recorded, for the end.
    pub(super) async fn remove_elsewhere(&self, url: &str) -> Result<(), HistoryError> {
        for record in self.records().await? {
            if record.url == url {
                continue;
            }
            match self.remove(&record).await {
                Ok(()) => self.forget(&record).await?,
                Err(error) => {
                    tracing::warn!(place = %record.place, %error, "cannot remove a hook of an earlier URL");
                }
            }
        }
        Ok(())
    }

    async fn records(&self) -> Result<Vec<MadeHook>, HistoryError> {
        let mut records = self.watched.made_hooks().await?;
        records.retain(|record| record.api == self.api.as_str());
        Ok(records)
    }

    /// Removes a hook. If its id is unknown, the place's list is searched for it.
    async fn remove(&self, record: &MadeHook) -> Result<(), Error> {
        if let Some(hook_id) = record.hook_id {
            self.client.delete_hook(hook_id).await?;
            self.known.note_deleted(hook_id);
            return Ok(());
        }
        let place = record.place;
        let there = match self.client.hooks(place.ref_type, place.ref_id).await {
            Err(Error::Gone { .. }) => Vec::new(),
            there => there?,
        };
        let ours = there.into_iter().filter(|hook| {
            hook.hook_id > record.newest_then
                && hook.url == record.url
                && hook.event == record.event_type
        });
        for hook in ours {
            self.client.delete_hook(hook.hook_id).await?;
        }
        Ok(())
    }

    async fn forget(&self, record: &MadeHook) -> Result<(), HistoryError> {
        let number = record.number;
        self.writer
            .add_facts_patiently(vec![Fact::Forget { number }])
            .await
    }

    fn report_end(&self, record: &MadeHook, state: HookState) {
        self.reports.send_modify(|reports| {
            let is_it = |hook_id: Option<u64>| hook_id.is_some() && hook_id == record.hook_id;
            if let Some(report) = reports.iter_mut().find(|report| is_it(report.hook_id)) {
                report.state = state;
            }
        });
    }
}
