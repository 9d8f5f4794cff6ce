//! Judges the path from the relay to the local service: which webhooks were accepted, which events
//! are here, and their outcomes.

use super::{StepFinding, moment};
use crate::amount;
use crate::history::{DeliveryState, EventRow, HoldReason, Loss, Verification};
use crate::likely;
use crate::status::{LinkState, ServiceState};
use crate::why::facts::{Facts, PodioChange};
use crate::why::{Cause, WhyStep};

impl Facts {
    pub(super) fn relay(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Relay;
        if self.has_arrived() {
            let at = self.row().map(|row| moment(row.received_at));
            return StepFinding::yes(STEP, format!("at {}", at.unwrap_or_default()));
        }
        // Without a change at Podio, losses after the newest event count.
        let at = match (&self.change, self.row()) {
            (PodioChange::Revision(revision), _) => revision.at,
            (_, Some(row)) => Some(row.received_at),
            _ => None,
        };
        let loss = at.map_or_else(|| self.losses.first(), |at| self.loss_since(at));
        match (loss, self.row()) {
            (Some(loss), _) => {
                let cause = match loss {
                    Loss::Refused { .. } => Cause::Refused,
                    Loss::Removed { .. } => Cause::Removed,
                };
                let cure = "raise this limit on the relay, or send more slowly; then change the \
                     item again";
                StepFinding::no(STEP, cause, loss.words(), Some(cure.to_owned()))
            }
            (None, Some(row)) => {
                let at = moment(row.received_at);
                StepFinding::yes(STEP, format!("the newest event arrived at {at}"))
            }
            (None, None) => StepFinding::unknown_step(STEP, "no event about it was seen"),
        }
    }

    pub(super) fn agent(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Agent;
        if self.has_arrived() {
            return StepFinding::yes(STEP, "it is in the history");
        }
        match &self.status.link {
            LinkState::Off => StepFinding::no(
                STEP,
                Cause::NoAgent,
                "no agent is running; a relay on a server keeps new webhooks until then",
                Some("start podtap listen".to_owned()),
            ),
            LinkState::Up { .. } if self.status.backlog > 0 => StepFinding::no(
                STEP,
                Cause::OnRelay,
                format!("{} events still wait on the relay", self.status.backlog),
                Some("wait until they are sent".to_owned()),
            ),
            LinkState::Up { since } => {
                StepFinding::yes(STEP, format!("connected since {}", moment(*since)))
            }
            LinkState::Connecting { reason: None, .. } => {
                StepFinding::unknown_step(STEP, "it is connecting to the relay")
            }
            LinkState::Connecting {
                reason: Some(reason),
                ..
            }
            | LinkState::Stopped { reason } => StepFinding::no(
                STEP,
                Cause::LinkDown,
                format!("the agent is not connected to the relay: {reason}"),
                Some("check the relay; a running agent reconnects by itself".to_owned()),
            ),
        }
    }

    pub(super) fn delivery(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Delivery;
        let Some(row) = self.row() else {
            return StepFinding::unknown_step(STEP, "the history has no event about it");
        };
        if let Some(last) = row.outcome() {
            let times = row.attempts;
            let how = if last.replay {
                ", the last a replay"
            } else {
                ""
            };
            return StepFinding::yes(
                STEP,
                format!("{times} attempts{how}").replace("1 attempts", "once"),
            );
        }
        match (row.state, row.insight.hold) {
            (DeliveryState::Held, Some(HoldReason::Loop)) => StepFinding::no(
                STEP,
                Cause::HeldLoop,
                "it is held because its object is in a loop",
                Some(self.loop_cure.clone().unwrap_or_else(|| {
                    "release it with L in podtap ui, or send it with podtap replay".to_owned()
                })),
            ),
            (DeliveryState::Held, Some(HoldReason::Verify)) => {
                StepFinding::yes(STEP, "a hook.verify is not for the local service")
            }
            (DeliveryState::Held, Some(HoldReason::NoRoute)) => StepFinding::no(
                STEP,
                Cause::Held,
                "it was only recorded: no route matches it",
                Some(format!("podtap replay {} --to PORT", row.id)),
            ),
            (DeliveryState::Held, None) => StepFinding::no(
                STEP,
                Cause::Held,
                "it was only recorded: there was no local service",
                Some(format!("podtap replay {} --to PORT", row.id)),
            ),
            (DeliveryState::Pending | DeliveryState::Delivered, _) => self.waits(),
        }
    }

    /// Judges an event that should be delivered and was not.
    fn waits(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Delivery;
        if self.status.link == LinkState::Off {
            return StepFinding::no(
                STEP,
                Cause::NoAgent,
                "it waits in the history: no agent is running",
                Some("start podtap listen".to_owned()),
            );
        }
        if let ServiceState::Down { since, reason } = &self.status.service {
            return StepFinding::no(
                STEP,
                Cause::ServiceDown,
                format!(
                    "the local service has been down since {}: {reason}",
                    moment(*since)
                ),
                Some("start the local service; the event is then delivered".to_owned()),
            );
        }
        let reason = match &self.before {
            Some(before) => format!("it waits for {} before it", words(before)),
            None => "its delivery is under way".to_owned(),
        };
        let cure = "check how long the local service takes: podtap ui";
        StepFinding::no(STEP, Cause::Waiting, reason, Some(cure.to_owned()))
    }

    pub(super) fn answer(&self) -> StepFinding {
        const STEP: WhyStep = WhyStep::Answer;
        let Some(row) = self.row() else {
            return StepFinding::unknown_step(STEP, "the history has no event about it");
        };
        match &row.insight.verification {
            Some(Verification::Failed { reason }) => {
                let cure = row.hook_id.map(|id| format!("podtap hooks verify {id}"));
                let reason = format!("the hook was not verified: {reason}");
                return StepFinding::no(STEP, Cause::NotVerified, reason, cure);
            }
            Some(_) => return StepFinding::yes(STEP, "the hook is verified"),
            None => {}
        }
        let Some(last) = row.outcome() else {
            return StepFinding::unknown_step(STEP, "no attempt has ended");
        };
        let took = amount::duration(last.duration);
        match &last.outcome {
            Ok(status) if *status < 400 => StepFinding::yes(STEP, format!("{status} in {took}")),
            Ok(status) => StepFinding::no(
                STEP,
                Cause::ErrorAnswer,
                format!(
                    "the local service answered {status}: {}",
                    likely::of(Ok(*status)).reason
                ),
                Some(format!("podtap show {} has the answer", row.id)),
            ),
            Err(error) => StepFinding::no(
                STEP,
                Cause::NoAnswer,
                format!("the local service did not answer: {error}"),
                Some(format!("podtap replay {}, once it does", row.id)),
            ),
        }
    }
}

/// Describes an event in a few words.
fn words(row: &EventRow) -> String {
    let kind = row.event_type.as_deref().unwrap_or(&row.method);
    let revision = row
        .revision
        .map_or_else(String::new, |revision| format!(" r{revision}"));
    format!("{kind}{revision}")
}
