//! Handles each `hook.verify` until its outcome is stored.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::verify::{CallOutcome, HookCode};
use super::{Detectors, Watch};
use crate::history::{Arrival, EventKey, Fact, HistoryError, Verification};

/// Maximum age of an unanswered `hook.verify` that is picked up after a start. Its code may still
/// be valid; one call shows that.
const PICK_UP: SignedDuration = SignedDuration::from_hours(24);

/// Maximum number of unanswered events that are picked up, newest first.
const PICK_UP_AT_MOST: usize = 50;

/// Maximum number of remembered failed hooks: a webhook may contain any id.
const MAX_FAILED: usize = 1000;

/// Hooks that were created here.
#[derive(Debug, Default)]
pub(super) struct OwnHooks {
    ids: HashSet<u64>,
    /// Whether a hook is being created whose id Podio has not returned yet.
    making: bool,
}

impl OwnHooks {
    fn has(&self, hook_id: u64) -> bool {
        self.making || self.ids.contains(&hook_id)
    }
}

impl Watch {
    /// Starts the validation of events from an earlier run that were not answered.
    pub(super) async fn pick_up(
        &self,
        detectors: &mut Detectors,
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        let since = now.saturating_sub(PICK_UP).unwrap_or(Timestamp::MIN);
        let watched = &self.explainer.watched;
        let unverified = watched.unverified_events(since, detectors.cursor, PICK_UP_AT_MOST);
        let unverified = unverified.await?;
        let own = self.own_hooks(&unverified).await?;
        let mut notes = Vec::new();
        for arrival in unverified {
            notes.extend(self.verify(detectors, &arrival, &own, now));
        }
        self.note(notes).await
    }

    /// Returns the hooks that were created here, if any of these events needs them.
    pub(super) async fn own_hooks(&self, page: &[Arrival]) -> Result<OwnHooks, HistoryError> {
        if !page.iter().any(is_verify) {
            return Ok(OwnHooks::default());
        }
        let made = self.explainer.watched.made_hooks().await?;
        Ok(OwnHooks {
            making: made.iter().any(|made| made.hook_id.is_none()),
            ids: made.into_iter().filter_map(|made| made.hook_id).collect(),
        })
    }

    /// Starts the validation of a `hook.verify`; returns its outcome if it is already certain.
    pub(super) fn verify(
        &self,
        detectors: &mut Detectors,
        arrival: &Arrival,
        own: &OwnHooks,
        now: Timestamp,
    ) -> Option<Fact> {
        if !is_verify(arrival) {
            return detectors.is_active_after_all(arrival);
        }
        if !self.verify || arrival.verification.is_some() {
            return None;
        }
        let known = arrival
            .earlier
            .as_ref()
            .and_then(|earlier| earlier.verification.clone());
        let pair = if arrival.posted {
            HookCode::parse(arrival.hook_id, arrival.code.as_deref())
        } else {
            Err("Podio sends it with POST; this came with another method")
        };
        let verification = match (known, pair) {
            (Some(known), _) => known,
            (None, Ok(pair)) => {
                let own = own.has(pair.hook_id);
                let verifier = &mut detectors.verifier;
                verifier.ask(arrival.event, pair, arrival.received_at, now, own)?
            }
            (None, Err(reason)) => Verification::Failed {
                reason: reason.to_owned(),
            },
        };
        detectors.remember(arrival.hook_id, arrival.event, &verification);
        Some(Fact::Verified {
            event: arrival.event,
            hook_id: arrival.hook_id,
            verification,
        })
    }

    /// Stores the outcome for the events that waited for a call, unless there will be another call.
    pub(super) async fn finish_validation(
        &self,
        detectors: &mut Detectors,
        pair: &HookCode,
        answer: CallOutcome,
    ) -> Result<(), HistoryError> {
        let Some((events, verification)) =
            detectors
                .verifier
                .finish_call(pair, answer, Timestamp::now())
        else {
            return Ok(());
        };
        if let Some(event) = events.last() {
            detectors.remember(Some(pair.hook_id), *event, &verification);
        }
        let notes = events.into_iter().map(|event| Fact::Verified {
            event,
            hook_id: Some(pair.hook_id),
            verification: verification.clone(),
        });
        self.note(notes.collect()).await
    }
}

impl Detectors {
    /// Notes the outcome of a hook's verification.
    fn remember(&mut self, hook_id: Option<u64>, event: EventKey, verification: &Verification) {
        let Some(hook_id) = hook_id else { return };
        if verification.is_ok() {
            self.failed.remove(&hook_id);
        } else if self.failed.len() < MAX_FAILED {
            self.failed.insert(hook_id, event);
        }
    }

    /// Returns the fact that a hook that could not be validated here is active: another receiver
    /// validated it first.
    fn is_active_after_all(&mut self, arrival: &Arrival) -> Option<Fact> {
        let hook_id = arrival.hook_id?;
        let event = self.failed.remove(&hook_id)?;
        Some(Fact::Verified {
            event,
            hook_id: Some(hook_id),
            verification: Verification::ActiveAnyway,
        })
    }
}

fn is_verify(arrival: &Arrival) -> bool {
    arrival.event_type.as_deref() == Some("hook.verify")
}
