//! Judges the facts: the first link that does not hold is the answer. Pure.

mod here;
mod podio;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::facts::{Facts, PodioChange};
use super::{Cause, Holds, Subject, Why, WhyLink, WhyStep};
use crate::history::EventRow;

/// A link, and the consequence if it does not hold.
struct StepFinding {
    step: WhyStep,
    holds: Holds,
    reason: String,
    /// The answer in that case, and what to do.
    broken: Option<(Cause, Option<String>)>,
}

impl StepFinding {
    fn yes(step: WhyStep, reason: impl Into<String>) -> Self {
        Self::of(step, Holds::Yes, reason.into(), None)
    }

    fn unknown_step(step: WhyStep, reason: impl Into<String>) -> Self {
        Self::of(step, Holds::Unknown, reason.into(), None)
    }

    fn no(step: WhyStep, cause: Cause, reason: impl Into<String>, cure: Option<String>) -> Self {
        Self::of(step, Holds::No, reason.into(), Some((cause, cure)))
    }

    fn of(
        step: WhyStep,
        holds: Holds,
        reason: String,
        broken: Option<(Cause, Option<String>)>,
    ) -> Self {
        Self {
            step,
            holds,
            reason,
            broken,
        }
    }
}

/// Returns the verdict on these facts.
pub(super) fn judge(facts: &Facts) -> Why {
    let findings = [
        facts.change(),
        facts.hook(),
        facts.active(),
        facts.leads_here(),
        facts.has_fired(),
        facts.relay(),
        facts.agent(),
        facts.delivery(),
        facts.answer(),
    ];
    // If the event has arrived, the current state of the hooks no longer matters.
    let is_here = |finding: &&StepFinding| !facts.has_arrived() || finding.step >= WhyStep::Relay;
    let broken = findings.iter().filter(is_here).find_map(|finding| {
        let (cause, cure) = finding.broken.clone()?;
        Some((cause, cure, finding.reason.as_str()))
    });
    let (cause, conclusion, cure) = match broken {
        Some((cause, cure, reason)) => (cause, facts.describe_break(reason), cure),
        None => facts.whole(),
    };
    Why {
        subject: facts.subject,
        event: facts.row().map(|row| row.id),
        cause,
        conclusion,
        cure,
        links: findings.into_iter().map(WhyLink::from).collect(),
    }
}

impl From<StepFinding> for WhyLink {
    fn from(finding: StepFinding) -> Self {
        Self {
            step: finding.step,
            holds: finding.holds,
            reason: finding.reason,
        }
    }
}

impl Facts {
    /// Returns whether the change itself is in the history. A hook or a type has no single change:
    /// its last event shows nothing about the next one.
    fn has_arrived(&self) -> bool {
        let Some(newest) = self.newest.as_ref().filter(|_| self.is_object()) else {
            return false;
        };
        match &self.change {
            PodioChange::Revision(revision) => newest.revision >= Some(revision.number),
            PodioChange::Unasked(_) | PodioChange::Gone(_) | PodioChange::There => true,
        }
    }

    fn is_object(&self) -> bool {
        matches!(self.subject, Subject::Object(_))
    }

    /// Returns the event that reports the subject.
    fn row(&self) -> Option<&EventRow> {
        let tells = self.has_arrived() || !self.is_object();
        self.newest.as_ref().filter(|_| tells)
    }

    /// Returns the subject of the answer.
    fn what(&self) -> String {
        match (&self.change, self.row()) {
            (PodioChange::Revision(revision), _) if self.is_object() => {
                format!("{} revision {}", self.subject, revision.number)
            }
            (_, Some(row)) if self.is_object() => {
                let kind = row.event_type.as_deref().unwrap_or("an event");
                format!("the newest event of {}, {kind},", self.subject)
            }
            _ => self.subject.to_string(),
        }
    }

    fn describe_break(&self, reason: &str) -> String {
        let what = self.what();
        if self.has_arrived() {
            format!("{what} arrived, but {reason}")
        } else if self.is_object() {
            format!("{what} has not arrived: {reason}")
        } else {
            format!("{what}: {reason}")
        }
    }

    /// Returns the answer if no link is known to be broken.
    fn whole(&self) -> (Cause, String, Option<String>) {
        let what = self.what();
        if let Some(row) = self.row() {
            let at = moment(row.received_at);
            let answer = match row.outcome() {
                Some(last) => last.outcome.as_ref().map_or_else(
                    |_| String::new(),
                    |status| format!(" and was answered {status}"),
                ),
                None => String::new(),
            };
            let conclusion = if self.is_object() {
                format!("{what} arrived at {at}{answer}")
            } else {
                format!("{what}: nothing is wrong; the newest event arrived at {at}{answer}")
            };
            return (Cause::Answered, conclusion, None);
        }
        let by_hand = matches!(&self.change, PodioChange::Revision(revision) if revision.by_hand);
        if by_hand || self.is_recent() {
            let conclusion = format!("{what} has not arrived yet: Podio may still call");
            let cure = "wait: Podio's queue may be late; podtap wait tells when it arrives";
            return (Cause::NotYet, conclusion, Some(cure.to_owned()));
        }
        let conclusion = format!("{what} has not arrived, and nothing that is known is wrong");
        let cure = match &self.change {
            PodioChange::Unasked(reason) if self.is_object() => reason.clone(),
            _ => "change an item, then ask about it: podtap why item:ID".to_owned(),
        };
        (Cause::Unknown, conclusion, Some(cure))
    }
}

/// Formats a time to the second.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
