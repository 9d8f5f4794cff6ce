//! Judges Podio's side: the change, the hooks, and whether one was called.

use jiff::SignedDuration;
use podtap_podio::RefType;
use podtap_podio::client::HookStatus;

use super::{StepFinding, moment};
use crate::history::{Loss, Verification};
use crate::hooks::UrlVerdict;
use crate::status::LinkState;
use crate::why::facts::{Facts, HookFact, KnownHooks, NewestRevision, PodioChange};
use crate::why::{Cause, Subject, WhyStep};

/// Time after which silence is meaningful: Podio usually calls within seconds.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// Maximum difference between the clocks of Podio and the relay.
const CLOCKS: SignedDuration = SignedDuration::from_secs(60);

/// Maximum number of revisions that are named.
const NAMED: usize = 5;

impl Facts {
    pub(super) fn change(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Change;
        match &self.change {
            PodioChange::Unasked(why) => StepFinding::unknown_step(STEP, why),
            PodioChange::Gone(why) => StepFinding::no(
                STEP,
                Cause::NoChange,
                format!("Podio does not return it: {why}"),
                Some("check the id, and whether these credentials have access to it".to_owned()),
            ),
            PodioChange::There => {
                StepFinding::yes(STEP, "Podio has it, but keeps no revisions of it")
            }
            PodioChange::Revision(revision) => StepFinding::yes(STEP, revision.words()),
        }
    }

    pub(super) fn hook(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Hook;
        let (able, looked, failed) = match &self.hooks {
            KnownHooks::Unknown(why) => return StepFinding::unknown_step(STEP, why),
            KnownHooks::Listed {
                able,
                looked,
                failed,
            } => (able, looked, failed),
        };
        match able.as_slice() {
            [] if failed.is_empty() => {
                let reason = match self.subject {
                    Subject::Hook(id) => format!("{looked} has no hook {id}"),
                    _ => format!("{looked} has no hook for {}", self.types()),
                };
                StepFinding::no(STEP, Cause::NoHook, reason, Some(self.create()))
            }
            [] => StepFinding::unknown_step(STEP, failed.join("; ")),
            [one] => StepFinding::yes(STEP, one.words()),
            [first, rest @ ..] => {
                StepFinding::yes(STEP, format!("{} and {} more", first.words(), rest.len()))
            }
        }
    }

    pub(super) fn active(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Active;
        let Some(hook) = self.best() else {
            return StepFinding::unknown_step(STEP, "no hook is known");
        };
        let id = hook.hook_id;
        match hook.status {
            HookStatus::Active => StepFinding::yes(STEP, "Podio says so"),
            HookStatus::Unknown => StepFinding::unknown_step(STEP, "Podio does not say"),
            HookStatus::Inactive => {
                let why = match &hook.verification {
                    Some(Verification::Failed { reason }) => {
                        format!(" (its last verification failed: {reason})")
                    }
                    _ => String::new(),
                };
                let reason =
                    format!("hook {id} is inactive: Podio sends nothing until it is verified{why}");
                let mut finding = StepFinding::no(
                    STEP,
                    Cause::HookInactive,
                    reason,
                    Some(format!(
                        "podtap hooks verify {id}, while podtap listen runs"
                    )),
                );
                // A hook that leads elsewhere would not help even if it were active.
                if !self.may_lead_here(hook) {
                    finding.broken = None;
                }
                finding
            }
        }
    }

    pub(super) fn leads_here(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::LeadsHere;
        let Some(hook) = self.best() else {
            return StepFinding::unknown_step(STEP, "no hook is known");
        };
        if hook.verdict == UrlVerdict::Ours {
            return StepFinding::yes(
                STEP,
                format!("hook {} is on this tunnel's URL", hook.hook_id),
            );
        }
        if self.may_lead_here(hook) {
            return StepFinding::unknown_step(STEP, "this tunnel has no URL yet");
        }
        StepFinding::no(
            STEP,
            Cause::HookElsewhere,
            format!("hook {} leads to {}", hook.hook_id, hook.verdict.words()),
            Some(format!(
                "create one here: {}; or move the others: podtap hooks adopt",
                self.create()
            )),
        )
    }

    pub(super) fn has_fired(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Fired;
        if let Some(row) = self.row() {
            return StepFinding::yes(STEP, format!("at {}", moment(row.received_at)));
        }
        let PodioChange::Revision(revision) = &self.change else {
            return StepFinding::unknown_step(STEP, "Podio keeps no record of its calls");
        };
        let hook = self.best().filter(|hook| hook.is_ready());
        let (Some(hook), Some(at)) = (hook, revision.at) else {
            return StepFinding::unknown_step(STEP, "no hook here could be called");
        };
        if let Some(created) = hook.created.filter(|created| *created > at) {
            return StepFinding::no(
                STEP,
                Cause::HookYounger,
                format!(
                    "hook {} was created at {}, after the change",
                    hook.hook_id,
                    moment(created)
                ),
                Some("change the item again".to_owned()),
            );
        }
        if revision.by_hand {
            return StepFinding::unknown_step(
                STEP,
                "not seen; a change made in Podio itself always calls the hooks, but sometimes \
                 late",
            );
        }
        let has_fired_since = self.last_fired.is_some_and(|fired| fired > at);
        if self.would_know(at) && (has_fired_since || self.now.duration_since(at) >= SOON) {
            return StepFinding::no(
                STEP,
                Cause::HookFalse,
                format!(
                    "no webhook followed the change by {}: it was probably written with hook=false",
                    revision.by
                ),
                Some(
                    "make the change without hook=false, or read the item instead of waiting for \
                     an event"
                        .to_owned(),
                ),
            );
        }
        StepFinding::unknown_step(STEP, "not seen so far")
    }

    fn may_lead_here(&self, hook: &HookFact) -> bool {
        let is_unknown = !self.knows_tunnel && !hook.verdict.is_dead();
        hook.verdict == UrlVerdict::Ours || is_unknown
    }

    /// Returns whether a webhook sent since then would have arrived by now.
    fn would_know(&self, at: jiff::Timestamp) -> bool {
        let is_up = matches!(self.status.link, LinkState::Up { .. });
        is_up && self.status.backlog == 0 && self.loss_since(at).is_none()
    }

    /// Returns webhooks that were lost at that time or later.
    pub(super) fn loss_since(&self, at: jiff::Timestamp) -> Option<&Loss> {
        self.losses.iter().find(|loss| loss.may_be_of(at, CLOCKS))
    }

    /// Returns whether the change is so new that its event may still arrive.
    pub(super) fn is_recent(&self) -> bool {
        let PodioChange::Revision(revision) = &self.change else {
            return false;
        };
        let age = revision.at.map(|at| self.now.duration_since(at));
        age.is_some_and(|age| age < SOON)
    }

    /// Returns the best hook: preferably one that is active and leads here.
    fn best(&self) -> Option<&HookFact> {
        let KnownHooks::Listed { able, .. } = &self.hooks else {
            return None;
        };
        able.iter().max_by_key(|hook| {
            let ours = hook.verdict == UrlVerdict::Ours;
            (hook.is_ready(), ours, hook.status == HookStatus::Active)
        })
    }

    /// Returns the event types that would report the subject.
    fn types(&self) -> String {
        match (&self.change, self.subject) {
            (PodioChange::Revision(revision), _) => revision.event.to_string(),
            (_, Subject::Type(event)) => event.to_string(),
            (_, Subject::Object(object)) => format!("events of this {}", object.kind.as_str()),
            (_, Subject::Hook(id)) => format!("hook {id}"),
        }
    }

    fn create(&self) -> String {
        let event = match (&self.change, self.subject) {
            (PodioChange::Revision(revision), _) => revision.event.as_str(),
            (_, Subject::Type(event)) => event.as_str(),
            _ => "EVENT",
        };
        let app = self
            .app
            .map_or_else(|| "ID".to_owned(), |app| app.to_string());
        format!("podtap listen PORT --on {event} --app {app}, or podtap hooks create")
    }
}

impl NewestRevision {
    fn words(&self) -> String {
        let at = self
            .at
            .map_or_else(String::new, |at| format!(" at {}", moment(at)));
        let mut words = format!("revision {}{at} by {}", self.number, self.by);
        if let [first, .., last] | [first @ last] = self.missing.as_slice() {
            let named: Vec<String> = self
                .missing
                .iter()
                .take(NAMED)
                .map(u64::to_string)
                .collect();
            let numbers = if self.missing.len() > NAMED {
                format!("{} revisions from {first} to {last}", self.missing.len())
            } else {
                format!("revisions {}", named.join(", "))
            };
            words.push_str(&format!("; {numbers} before it never arrived"));
        }
        words
    }
}

impl HookFact {
    fn words(&self) -> String {
        let Self {
            hook_id,
            event,
            place,
            ..
        } = self;
        format!("hook {hook_id} on {} for {event}", place.at)
    }

    /// Returns whether an event of this hook would arrive here.
    fn is_ready(&self) -> bool {
        self.verdict == UrlVerdict::Ours && self.status == HookStatus::Active && !self.is_on_field()
    }

    /// Returns whether it reports only changes of one field.
    fn is_on_field(&self) -> bool {
        self.place.at.ref_type == RefType::AppField
    }
}
