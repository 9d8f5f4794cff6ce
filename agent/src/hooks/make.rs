//! Creates hooks. Each is recorded before Podio is asked, so that a crash leaves no unknown hook,
//! and none is created twice.

use std::time::Duration;

use podtap_podio::client::{Error, Hook, HookStatus};
use tokio::time::timeout;

use super::{HookMaker, HookState, HooksError};
use crate::amount;
use crate::history::{Fact, HistoryError, MadeHook};
use crate::place::{Place, PlaceRef, WantedHook};
use crate::place_name;
use crate::reason;

/// Time after which Podio is reported as silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The result for the hooks of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MakeOutcome {
    /// Nothing remains to be tried.
    Settled,
    /// The failure may pass.
    NotYet,
}

impl HookMaker {
    /// Creates every configured hook of one place. If a hook with the same URL exists, another one
    /// would only double each event: the existing hook is used, and is not removed at the end
    /// unless it was created here.
    ///
    /// # Errors
    /// If Podio refuses the credentials: then no hook can be created on any place.
    pub(super) async fn make(&self, at: PlaceRef, url: &str) -> Result<MakeOutcome, HooksError> {
        let wanted = self.config.wanted.iter().filter(|hook| hook.place == at);
        let there = match timeout(PATIENCE, self.client.hooks(at.ref_type, at.ref_id)).await {
            Ok(Ok(there)) => there,
            Ok(Err(error)) if is_about_credentials(&error) && !self.config.optional => {
                return Err(HooksError::Credentials(error));
            }
            Ok(Err(error)) => {
                wanted.for_each(|hook| self.report_failure(*hook, words(&error, at)));
                return Ok(outcome_of_error(&error));
            }
            Err(_) => {
                let silent = format!("no answer within {}; trying again", amount::limit(PATIENCE));
                wanted.for_each(|hook| self.report_failure(*hook, silent.clone()));
                return Ok(MakeOutcome::NotYet);
            }
        };
        let newest_then = there.iter().map(|hook| hook.hook_id).max().unwrap_or(0);
        let name = place_name::look_up(&self.client, at).await;
        let place = Place { at, name };
        let mut settled = MakeOutcome::Settled;
        for hook in wanted {
            let same = |there: &&Hook| there.url == url && there.event == hook.event.as_str();
            let hook_id = match there.iter().find(same) {
                Some(there) => self.reuse(*hook, there).await,
                None => match self.create(*hook, url, newest_then).await? {
                    Ok(hook_id) => Some(hook_id),
                    Err(MakeOutcome::NotYet) => {
                        settled = MakeOutcome::NotYet;
                        None
                    }
                    Err(MakeOutcome::Settled) => None,
                },
            };
            if let Some(hook_id) = hook_id {
                let place = place.clone();
                let learned = Fact::Learned { hook_id, place };
                self.writer.add_facts_patiently(vec![learned]).await?;
            }
        }
        Ok(settled)
    }

    async fn reuse(&self, wanted: WantedHook, there: &Hook) -> Option<u64> {
        if there.status == HookStatus::Active {
            self.report(wanted, Some(there.hook_id), HookState::Active);
            return Some(there.hook_id);
        }
        self.report(wanted, Some(there.hook_id), HookState::Made);
        let asked = self.client.request_hook_verification(there.hook_id).await;
        if let Err(error) = asked {
            self.report_failure(wanted, reason::of_podio(&error));
        }
        Some(there.hook_id)
    }

    /// Returns the new hook's id, or whether trying again may help.
    async fn create(
        &self,
        wanted: WantedHook,
        url: &str,
        newest_then: u64,
    ) -> Result<Result<u64, MakeOutcome>, HistoryError> {
        let WantedHook { place, event } = wanted;
        let records = self.watched.made_hooks().await?;
        let number = records.last().map_or(1, |last| last.number + 1);
        let record = MadeHook {
            number,
            api: self.api.as_str().to_owned(),
            place,
            event_type: event.as_str().to_owned(),
            url: url.to_owned(),
            newest_then,
            hook_id: None,
        };
        self.writer
            .add_facts_patiently(vec![Fact::Making(record)])
            .await?;
        let created = self
            .client
            .create_hook(place.ref_type, place.ref_id, url, event);
        match created.await {
            Ok(hook_id) => {
                // Its verification may have ended earlier: then its result stays.
                self.report(wanted, Some(hook_id), HookState::Made);
                self.writer
                    .add_facts(vec![Fact::HookMade { number, hook_id }])
                    .await?;
                self.look_at(hook_id).await?;
                Ok(Ok(hook_id))
            }
            Err(error) => {
                self.report_failure(wanted, words(&error, place));
                if error.refusal().is_some() {
                    self.writer
                        .add_facts_patiently(vec![Fact::Forget { number }])
                        .await?;
                }
                Ok(Err(outcome_of_error(&error)))
            }
        }
    }
}

fn outcome_of_error(error: &Error) -> MakeOutcome {
    if error.may_pass() {
        MakeOutcome::NotYet
    } else {
        MakeOutcome::Settled
    }
}

fn is_about_credentials(error: &Error) -> bool {
    matches!(
        error,
        Error::Unauthorized { .. } | Error::LoginNeeded | Error::SecondFactor
    )
}

/// Returns Podio's words and what can be done.
fn words(error: &Error, at: PlaceRef) -> String {
    let told = reason::of_podio(error);
    match error {
        _ if error.may_pass() => format!("{told}; trying again"),
        Error::Gone { .. } => format!("{told}; is {at} the right id?"),
        Error::Refused { refusal, .. } if refusal.status == 403 => format!(
            "{told}; is {at} the right id? An app's token works only for that app; hooks on spaces \
             and other apps need a person's login (`podtap login`)"
        ),
        _ => told,
    }
}
