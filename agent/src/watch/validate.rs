//! Validates a hook through the API, and interprets a refusal with care.
//!
//! The local service may validate the same code first. What Podio then answers to the second
//! request is unknown (podio.md 9.4), most likely the 400 for a wrong code. So a refusal is not a
//! failure if the list of hooks, which needs credentials, shows the hook as active. Without the
//! list, it is reported as a failure, with this possibility named.

use std::collections::HashSet;

use podtap_podio::client::{Client, Error, HookStatus};

use super::verify::{CallOutcome, HookCode};
use crate::history::{HistoryError, Verification, WatchReader};
use crate::place::PlaceRef;
use crate::reason;

/// Maximum number of places whose lists are searched for an unknown hook.
const MAX_LISTS: usize = 10;

/// What validation needs. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Validator {
    pub(super) client: Client,
    pub(super) watched: WatchReader,
    /// Places where the hook may be, if nothing better is known.
    pub(super) places: Vec<PlaceRef>,
}

impl Validator {
    /// Makes one call, or two if the first was refused.
    pub(super) async fn validate(
        &self,
        pair: HookCode,
    ) -> Result<(HookCode, CallOutcome), HistoryError> {
        let answer = match self.client.validate_hook(pair.hook_id, &pair.code).await {
            Ok(()) => CallOutcome::Final(Verification::Validated),
            Err(error) if error.may_pass() => CallOutcome::Again {
                wait: match error {
                    Error::RateLimited { retry_after, .. } => retry_after,
                    _ => None,
                },
                reason: reason::of_podio(&error),
            },
            Err(error) if self.is_active(pair.hook_id).await? => {
                tracing::debug!(hook = pair.hook_id, %error, "refused, but the hook is active");
                CallOutcome::Final(Verification::ActiveAnyway)
            }
            Err(error) => CallOutcome::Final(Verification::Failed {
                reason: self.failure(&error),
            }),
        };
        Ok((pair, answer))
    }

    /// Returns whether a list of hooks shows the hook as active. Any error means no.
    async fn is_active(&self, hook_id: u64) -> Result<bool, HistoryError> {
        if !self.client.has_credentials() {
            return Ok(false);
        }
        let places = if let Some(place) = self.watched.place(hook_id).await? {
            vec![place.at]
        } else {
            self.likely_places().await?
        };
        for place in places {
            let hooks = self.client.hooks(place.ref_type, place.ref_id).await;
            let mut hooks = hooks.into_iter().flatten();
            if let Some(hook) = hooks.find(|hook| hook.hook_id == hook_id) {
                return Ok(hook.status == HookStatus::Active);
            }
        }
        Ok(false)
    }

    /// Returns the places where an unknown hook may be: those of the configuration, then those with
    /// other known hooks.
    async fn likely_places(&self) -> Result<Vec<PlaceRef>, HistoryError> {
        let learned = self.watched.places().await?.into_iter();
        let mut places = self.places.clone();
        places.extend(learned.map(|place| place.at));
        let mut seen = HashSet::new();
        places.retain(|place| seen.insert(*place));
        places.truncate(MAX_LISTS);
        Ok(places)
    }

    fn failure(&self, error: &Error) -> String {
        let told = reason::of_podio(error);
        match error {
            Error::Unauthorized { .. } if !self.client.has_credentials() => {
                format!("{told}; set Podio credentials and request another verification")
            }
            Error::Refused { .. } | Error::Gone { .. } => {
                format!("{told}; the local service may have validated it first")
            }
            _ => told,
        }
    }
}
